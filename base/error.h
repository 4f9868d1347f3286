/// One exception type for everything that ends an operation. Outcomes a caller expects (not found, no
/// room, refused) are values; `Error` is for what it cannot go on from.
///
/// An Error tells three things: what failed (message, with context added in front on the way up), why
/// (inside the message: `file:line:column`, the system's reason), and what to do next (hint). It is
/// printed once: by `main`, by the HTTP handler or by the job loop, never where it is thrown.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas {

/// What went wrong, as far as a caller can act on it. Each kind has one exit code and one HTTP status
/// (the table is in error.cpp; the codes are those of the command line's contract).
enum class ErrorKind {
  internal,      // 1, 500: everything else, also disk full
  not_found,     // 2, 404
  config,        // 3, 500: server configuration missing or invalid
  invalid,       // 4, 400: usage, metadata or bundle
  auth,          // 5, 401
  conflict,      // 6, 409: locked or superseded; the message names the holder
  build_failed,  // 7, 422: clone, action, time limit
  no_capacity,   // 8, 507: no backend can take it, or ports and uids are used up
  unhealthy,     // 9, 424: the new release did not become healthy, the old one is kept
  switch_lossy,  // 10, 200: deployed, but requests failed in the switch
  quota,         // 11, 429
  timeout,       // 12, 504: the work goes on in the background
  unreachable,   // 13, 503: no lord, or the daemon does not answer
  plan_changes,  // 14, 200
  interrupted,   // 130, 499
};

[[nodiscard]] int exit_code(ErrorKind kind);
[[nodiscard]] int http_status(ErrorKind kind);
[[nodiscard]] std::string_view to_string(ErrorKind kind);
/// The kind of that name; nothing when no kind has it.
[[nodiscard]] std::optional<ErrorKind> error_kind_from(std::string_view name);

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }
  /// The step of a deploy that failed ("build", "start", ...); empty outside of one.
  [[nodiscard]] const std::string& step() const { return step_; }
  /// The last lines that the failing child wrote.
  [[nodiscard]] const std::vector<std::string>& output() const { return output_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  /// Puts "context: " in front of the message. For `catch (Error& e) { throw e.within("..."); }`.
  Error& within(std::string_view context);
  Error& at_step(std::string step);
  Error& with_output(std::vector<std::string> lines);
  Error& with_hint(std::string hint);

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::string step_;
  std::vector<std::string> output_;
};

/// "WHAT: No such file or directory" from errno (or the given number), as ErrorKind::internal.
/// ENOSPC and EDQUOT get the hint to free disk space.
[[nodiscard]] Error system_error(std::string_view what, int number);
[[nodiscard]] Error system_error(std::string_view what);

}  // namespace upaas
