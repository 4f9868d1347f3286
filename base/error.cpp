#include "base/error.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace upaas {
namespace {

struct Row {
  ErrorKind kind;
  std::string_view name;
  int exit_code;
  int http_status;
};

constexpr std::array kRows = {
    Row{ErrorKind::internal, "internal", 1, 500},
    Row{ErrorKind::not_found, "not_found", 2, 404},
    Row{ErrorKind::config, "config", 3, 500},
    Row{ErrorKind::invalid, "invalid", 4, 400},
    Row{ErrorKind::auth, "auth", 5, 401},
    Row{ErrorKind::conflict, "conflict", 6, 409},
    Row{ErrorKind::build_failed, "build_failed", 7, 422},
    Row{ErrorKind::no_capacity, "no_capacity", 8, 507},
    Row{ErrorKind::unhealthy, "unhealthy", 9, 424},
    Row{ErrorKind::switch_lossy, "switch_lossy", 10, 200},
    Row{ErrorKind::quota, "quota", 11, 429},
    Row{ErrorKind::timeout, "timeout", 12, 504},
    Row{ErrorKind::unreachable, "unreachable", 13, 503},
    Row{ErrorKind::plan_changes, "plan_changes", 14, 200},
    Row{ErrorKind::interrupted, "interrupted", 130, 499},
};

const Row& row(ErrorKind kind) {
  for (const Row& candidate : kRows) {
    if (candidate.kind == kind) {
      return candidate;
    }
  }
  return kRows.front();
}

}  // namespace

int exit_code(ErrorKind kind) {
  return row(kind).exit_code;
}

int http_status(ErrorKind kind) {
  return row(kind).http_status;
}

std::string_view to_string(ErrorKind kind) {
  return row(kind).name;
}

std::optional<ErrorKind> error_kind_from(std::string_view name) {
  for (const Row& candidate : kRows) {
    if (candidate.name == name) {
      return candidate.kind;
    }
  }
  return std::nullopt;
}

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

Error& Error::within(std::string_view context) {
  message_ = std::string(context) + ": " + message_;
  return *this;
}

Error& Error::at_step(std::string step) {
  step_ = std::move(step);
  return *this;
}

Error& Error::with_output(std::vector<std::string> lines) {
  output_ = std::move(lines);
  return *this;
}

Error& Error::with_hint(std::string hint) {
  hint_ = std::move(hint);
  return *this;
}

Error system_error(std::string_view what, int number) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return {ErrorKind::internal, std::string(what) + ": " + std::system_category().message(number),
          full ? "free some disk space there, then try again" : ""};
}

Error system_error(std::string_view what) {
  return system_error(what, errno);
}

}  // namespace upaas
