#include "redis_server.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is not in <csignal>.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace ashlar::bench {
namespace {

// The first is a link to the second, which comes without a daemon that is started on installation:
// the program is the server unless its name says otherwise.
constexpr std::array<const char*, 2> kPrograms = {"/usr/bin/redis-server",
                                                  "/usr/bin/redis-check-rdb"};
constexpr auto kStartTimeout = std::chrono::seconds(10);
constexpr auto kPollPause = std::chrono::milliseconds(1);

const char* program() {
  for (const char* const path : kPrograms) {
    if (access(path, X_OK) == 0) return path;
  }
  return nullptr;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) throw std::runtime_error(path + ": too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

bool RedisServer::is_installed() {
  return program() != nullptr;
}

RedisServer::RedisServer(const std::string& directory, std::span<const std::string> settings)
    : directory_(directory) {
  std::vector<std::string> words = {"redis-server",
                                    "--port",
                                    "0",
                                    "--dir",
                                    std::filesystem::absolute(directory).string(),
                                    "--unixsocket",
                                    "redis.sock",
                                    "--logfile",
                                    "redis.log",
                                    "--daemonize",
                                    "no",
                                    "--save",
                                    ""};
  words.insert(words.end(), settings.begin(), settings.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const char* const path = program();
  if (path == nullptr) throw std::runtime_error("redis-server is not installed");
  std::filesystem::remove(socket_path());

  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no child process for redis-server");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(path, arguments.data());
    _exit(127);
  }
}

RedisServer::~RedisServer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

double RedisServer::processor_ns() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/schedstat");
  double ns = 0;
  file >> ns;
  return ns;
}

RedisConnection::RedisConnection(const RedisServer& server) : socket_(-1) {
  const sockaddr_un address = address_of(server.socket_path());
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (true) {
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ >= 0 && connect(socket_, generic, sizeof(address)) == 0) return;
    if (socket_ >= 0) close(socket_);
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("redis-server does not come up: see redis.log in its directory");
    }
    std::this_thread::sleep_for(kPollPause);
  }
}

RedisConnection::~RedisConnection() {
  close(socket_);
}

void append_command(std::string& out, std::span<const std::string_view> words) {
  out.append("*").append(std::to_string(words.size())).append("\r\n");
  for (const std::string_view word : words) {
    out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
  }
}

void RedisConnection::add_set(std::string_view key, std::string_view value) {
  const std::array<std::string_view, 3> words = {"SET", key, value};
  append_command(out_, words);
  ++set_count_;
}

bool RedisConnection::flush_sets() {
  send_all();
  bool is_ok = true;
  for (; set_count_ > 0; --set_count_) is_ok &= take_line() == "+OK";
  return is_ok;
}

std::optional<std::string> RedisConnection::ask(std::span<const std::string_view> words) {
  append_command(out_, words);
  send_all();
  std::string line = take_line();
  if (!line.starts_with('$')) return line;
  long bytes = -1;
  std::from_chars(line.data() + 1, line.data() + line.size(), bytes);
  if (bytes < 0) return std::nullopt;
  std::string text = take_bytes(static_cast<std::size_t>(bytes));
  take_bytes(2);
  return text;
}

std::optional<std::string> RedisConnection::ask_once_loaded(
    std::span<const std::string_view> words) {
  while (true) {
    auto answer = ask(words);
    if (!answer || !answer->starts_with("-LOADING")) return answer;
    std::this_thread::sleep_for(kPollPause);
  }
}

long RedisConnection::info_number(std::string_view section, std::string_view name) {
  const std::array<std::string_view, 2> words = {"INFO", section};
  const std::string text = ask(words).value_or("");
  const std::size_t at = text.find("\n" + std::string(name) + ":");
  long number = -1;
  if (at == std::string::npos) return number;
  std::from_chars(text.data() + at + name.size() + 2, text.data() + text.size(), number);
  return number;
}

void RedisConnection::send_all() {
  for (std::size_t sent = 0; sent < out_.size();) {
    const ssize_t count = send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) throw std::runtime_error("redis-server takes no more commands");
    sent += static_cast<std::size_t>(count);
  }
  out_.clear();
}

void RedisConnection::receive() {
  in_.erase(0, taken_);
  taken_ = 0;
  std::array<char, 64U << 10U> buffer;
  const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
  if (count <= 0) throw std::runtime_error("redis-server gives no more answers");
  in_.append(buffer.data(), static_cast<std::size_t>(count));
}

std::string RedisConnection::take_line() {
  std::size_t end = 0;
  while ((end = in_.find("\r\n", taken_)) == std::string::npos) receive();
  std::string line = in_.substr(taken_, end - taken_);
  taken_ = end + 2;
  return line;
}

std::string RedisConnection::take_bytes(std::size_t count) {
  while (in_.size() - taken_ < count) receive();
  std::string bytes = in_.substr(taken_, count);
  taken_ += count;
  return bytes;
}

}  // namespace ashlar::bench
