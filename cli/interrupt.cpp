#include "cli/interrupt.h"

#include "base/error.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace upaas::cli {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
  finished_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!signals_.valid() || !finished_.valid()) throw system_error("signals");
  watcher_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  ::eventfd_write(finished_.get(), 1);
  watcher_.join();
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupt::watch() {
  std::array<pollfd, 2> both{pollfd{signals_.get(), POLLIN, 0}, pollfd{finished_.get(), POLLIN, 0}};
  for (;;) {
    while (::poll(both.data(), both.size(), -1) < 0) {
    }
    if (both[0].revents == 0) return;
    signalfd_siginfo info;
    if (::read(signals_.get(), &info, sizeof info) < 0) return;
    take(static_cast<int>(info.ssi_signo));
  }
}

void Interrupt::take(int signal) {
  const std::lock_guard lock(mutex_);
  if (first_ == 0) {
    first_ = signal;
    source_.request_stop();
  } else if (awaited_ && !second_) {
    second_ = true;
    changed_.notify_all();
  } else {
    // Not blocked in this thread any more: it has its usual effect.
    ::kill(::getpid(), signal);
    const sigset_t set = watched();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }
}

void Interrupt::await_second() {
  const std::lock_guard lock(mutex_);
  awaited_ = true;
}

bool Interrupt::by_hand() {
  const std::lock_guard lock(mutex_);
  return first_ == SIGINT;
}

bool Interrupt::again(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return second_; });
}

}  // namespace upaas::cli
