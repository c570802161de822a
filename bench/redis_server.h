/// \file
/// Redis as a peer: a server of our own as a child process, and a connection to it. It listens on a
/// unix socket in its directory and nowhere else.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ashlar::bench {

/// The name of the peer Redis, whether it is installed or not.
inline constexpr std::string_view kRedisName = "redis";

/// A redis-server. It dies with the process that started it, or with this object, by SIGKILL: what
/// it has on disk is what it had written by then.
///
/// Threads: confined to one thread, which must not end before the server does.
class RedisServer {
 public:
  /// Starts a server in `directory` with `settings`, as words of its command line, on top of those
  /// that every row wants: no TCP port, no saving by itself.
  RedisServer(const std::string& directory, std::span<const std::string> settings);
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer();

  /// Whether there is a program to start.
  static bool is_installed();

  pid_t pid() const noexcept { return pid_; }

  /// Processor time that it has taken, in nanoseconds.
  double processor_ns() const;

  std::string socket_path() const { return directory_ + "/redis.sock"; }

 private:
  std::string directory_;
  pid_t pid_;
};

/// One connection. Commands are collected and sent together.
///
/// Threads: confined.
class RedisConnection {
 public:
  /// Connects to `server`, waiting until it is up.
  explicit RedisConnection(const RedisServer& server);
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;
  ~RedisConnection();

  /// Collects a SET.
  void add_set(std::string_view key, std::string_view value);

  /// Sends what was collected and waits for the answers. Returns: whether all were OK
  bool flush_sets();

  /// Sends one command and waits for its answer.
  ///
  /// Returns: a string, or a line with the first character of its kind; nullopt for nil
  std::optional<std::string> ask(std::span<const std::string_view> words);

  /// As `ask`, while the server loads its data again and again until it has.
  std::optional<std::string> ask_once_loaded(std::span<const std::string_view> words);

  /// The number behind `name` and a colon in what INFO tells; -1 when there is none.
  long info_number(std::string_view section, std::string_view name);

 private:
  void send_all();
  void receive();
  std::string take_line();
  std::string take_bytes(std::size_t count);

  int socket_;
  std::string out_;
  std::size_t set_count_ = 0;  // Collected in `out_`.
  std::string in_;             // Received and not taken from `taken_` on.
  std::size_t taken_ = 0;
};

/// Appends a command in the form in which Redis takes it.
void append_command(std::string& out, std::span<const std::string_view> words);

}  // namespace ashlar::bench
