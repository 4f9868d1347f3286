/// What several tests of base need.
#pragma once

#include "base/error.h"

#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <stdexcept>

namespace upaas::test {

/// The Error that `action` throws; fails the test when it throws none.
template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no Error was thrown");
}

/// Runs `action` (returns bool) in a forked copy and gives its wait status: for what needs another
/// uid, another mount namespace, or dies.
template <typename Action>
int status_in_child(Action action) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    bool good = false;
    try {
      good = action();
    } catch (const std::exception&) {
      good = false;
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status;
}

}  // namespace upaas::test
