/// Many small equal steps, system calls for the most part, divided among the processors.
///
///     in_parallel(paths.size(), [&](std::size_t at) { check(paths[at]); });
///
/// Returns when all are done. When one throws, its thread does no more; the first by index of what was
/// thrown is thrown again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace upaas {

template <class Step>
void in_parallel(std::size_t count, const Step& step) {
  constexpr std::size_t kWorthAThread = 64;
  const std::size_t most = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
  const std::size_t threads = std::clamp<std::size_t>(count / kWorthAThread, 1, most);
  std::vector<std::exception_ptr> failures(threads);
  const auto run = [&](std::size_t thread) {
    try {
      const std::size_t end = count * (thread + 1) / threads;
      for (std::size_t at = count * thread / threads; at < end; ++at) step(at);
    } catch (...) {
      failures[thread] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    helpers.reserve(threads - 1);
    for (std::size_t thread = 1; thread < threads; ++thread) helpers.emplace_back(run, thread);
    run(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace upaas
