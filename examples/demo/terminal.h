/// \file
/// What the demo shows: plain lines everywhere, and on a terminal colour, bars and lines that are
/// drawn again in place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

/// The parts of one line, written one after the other.
using Parts = std::initializer_list<std::string_view>;

/// An output, which may be a terminal or a file.
///
/// Threads: confined to the thread that runs the demo.
class Terminal {
 public:
  /// Draws on `out`: live when that is a terminal and NO_COLOR is not set.
  ///
  /// Lifetime: `out` stays open as long as this lives.
  explicit Terminal(std::FILE* out);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Takes a bar away that a failed step left behind.
  ~Terminal();

  /// Whether lines can be drawn again.
  bool is_live() const { return is_live_; }

  /// Begins a step.
  void heading(std::string_view title);

  /// One line.
  void line(Parts parts);

  /// One figure of a step: what it is, then how much.
  void figure(std::string_view name, Parts parts);

  /// One line that says that something was checked and found good.
  void good(Parts parts);

  /// How far a step is. Only a terminal shows it; `done == total` takes it away again.
  void progress(std::size_t done, std::size_t total);

  /// Draws `lines` over those of the call before. Only a terminal shows them.
  void redraw(const std::vector<std::string>& lines);

  /// Leaves the lines of the last `redraw` where they are.
  void keep();

 private:
  void write(Parts parts);
  std::string_view style(std::string_view code) const { return is_live_ ? code : ""; }

  std::FILE* out_;
  bool is_live_;
  std::size_t drawn_count_ = 0;      // Lines of the last `redraw`.
  std::size_t percent_shown_ = 101;  // Of the bar; beyond 100 when there is none.
};

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);

/// `value` with `decimals` digits after the point.
std::string fixed(double value, int decimals);

/// `bytes` in MiB, with its unit.
std::string mebibytes(std::uint64_t bytes);

/// Measures a step from its construction on.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  /// "12.3 ms"; in s from one second on, in µs below one millisecond.
  std::string elapsed() const;

  /// `count` over the time since construction, as "1,234,567 a second".
  std::string rate(std::uint64_t count) const;

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace demo
