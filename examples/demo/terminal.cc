#include "terminal.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace demo {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kLineUp = "\x1b[1A";
constexpr std::string_view kClearLine = "\r\x1b[2K";

constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kBarColumns = 40;
constexpr std::size_t kNoBar = 101;

bool is_wanted_live(std::FILE* out) {
  // Read before any thread is started, and nothing in the process sets it.
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  const bool is_plain = no_color != nullptr && *no_color != '\0';
  return !is_plain && isatty(fileno(out)) == 1;
}

}  // namespace

Terminal::Terminal(std::FILE* out) : out_(out), is_live_(is_wanted_live(out)) {}

void Terminal::write(Parts parts) {
  for (const auto part : parts) std::fwrite(part.data(), 1, part.size(), out_);
}

Terminal::~Terminal() {
  if (percent_shown_ == kNoBar) return;
  write({kClearLine});
  std::fflush(out_);
}

void Terminal::heading(std::string_view title) {
  write({"\n", style(kBold), title, style(kPlain), "\n"});
  std::fflush(out_);
}

void Terminal::line(Parts parts) {
  write({"  "});
  write(parts);
  write({"\n"});
  std::fflush(out_);
}

void Terminal::figure(std::string_view name, Parts parts) {
  const std::size_t gap = name.size() < kNameColumns ? kNameColumns - name.size() : 1;
  write({"  ", name, std::string(gap, ' ')});
  write(parts);
  write({"\n"});
  std::fflush(out_);
}

void Terminal::good(Parts parts) {
  write({"  ", style(kGreen), "good", style(kPlain), "  "});
  write(parts);
  write({"\n"});
  std::fflush(out_);
}

void Terminal::progress(std::size_t done, std::size_t total) {
  if (!is_live_ || total == 0) return;
  if (done >= total) {
    write({kClearLine});
    percent_shown_ = kNoBar;
    return;
  }
  const std::size_t percent = done * 100 / total;
  if (percent == percent_shown_) return;

  percent_shown_ = percent;
  const std::size_t filled = percent * kBarColumns / 100;
  write({kClearLine, "  [", kGreen, std::string(filled, '#'), kPlain,
         std::string(kBarColumns - filled, '.'), "] ", grouped(percent), " %"});
  std::fflush(out_);
}

void Terminal::redraw(const std::vector<std::string>& lines) {
  if (!is_live_) return;
  for (std::size_t index = 0; index < drawn_count_; ++index) write({kLineUp});
  for (const auto& text : lines) write({kClearLine, "  ", text, "\n"});
  drawn_count_ = lines.size();
  std::fflush(out_);
}

void Terminal::keep() {
  drawn_count_ = 0;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, 1, ',');
  return digits;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 std::chars_format::fixed, decimals);
  return end.ec == std::errc() ? std::string(digits.data(), end.ptr) : "?";
}

std::string mebibytes(std::uint64_t bytes) {
  return fixed(static_cast<double>(bytes) / (1024.0 * 1024.0), 2) + " MiB";
}

std::string Stopwatch::elapsed() const {
  const double now = seconds();
  if (now < 0.001) return fixed(now * 1e6, 1) + " µs";
  return now < 1.0 ? fixed(now * 1000.0, 1) + " ms" : fixed(now, 2) + " s";
}

std::string Stopwatch::rate(std::uint64_t count) const {
  const double now = seconds();
  if (now <= 0.0) return "at once";
  return grouped(static_cast<std::uint64_t>(static_cast<double>(count) / now)) + " a second";
}

}  // namespace demo
