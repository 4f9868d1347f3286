#include "base/parallel.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

using upaas::in_parallel;

TEST_CASE("Every step is done once, however many there are") {
  for (const std::size_t count : {0U, 1U, 63U, 64U, 128U, 1001U, 100'000U}) {
    std::vector<std::atomic<int>> done(count);
    in_parallel(count, [&](std::size_t at) { ++done[at]; });
    for (const auto& times : done) {
      if (times != 1) FAIL("done " << times << " times of " << count);
    }
  }
}

TEST_CASE("The first failure by index is thrown when several steps fail") {
  const auto failing = [](std::size_t at) {
    if (at % 100 == 50) throw std::runtime_error(std::to_string(at));
  };
  CHECK_THROWS_WITH(in_parallel(10'000, failing), "50");
  CHECK_THROWS_WITH(in_parallel(51, failing), "50");
}
