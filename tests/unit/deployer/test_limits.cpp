#include "deployer/limits.h"
#include "tests/support/release_values.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::deployer;
using host::LimitHits;

namespace {

model::Instance instance(int workers) {
  model::Instance made = test::start_of("hello", test::python(), "k3f9").instance;
  made.workers = workers;
  made.memory = model::Megabytes{128} * workers;
  return made;
}

}  // namespace

TEST_CASE(
    "An instance may use the memory of its workers and of the master, and a share of the cores") {
  CHECK(instance_limits(instance(1)) ==
        host::Limits{.memory = {{160}}, .cpu_weight = 100, .processes = 288});
  CHECK(instance_limits(instance(4)) ==
        host::Limits{.memory = {{544}}, .cpu_weight = 400, .processes = 384});
}

TEST_CASE("A limit that was met is told with the instance, the limit and what to do") {
  const auto one = limit_met(instance(1), {.out_of_memory = 2}, {.out_of_memory = 3});
  REQUIRE(one);
  CHECK(one->kind == "instance.out_of_memory");
  CHECK(one->cause == "it used more than scale.memory allows (160M)");
  CHECK(one->event ==
        "a process of hello--v1--k3f9 was ended: it used more than scale.memory allows (160M); "
        "raise scale.memory in app.yaml, or let it use less");
  CHECK(limit_met(instance(1), {}, {.out_of_memory = 3})
            ->event.starts_with("3 processes of hello--v1--k3f9 were ended: "));
  const auto forks = limit_met(instance(1), {}, {.forks_refused = 9});
  REQUIRE(forks);
  CHECK(forks->kind == "instance.too_many_processes");
  CHECK(forks->event.starts_with("hello--v1--k3f9 was refused a new process: "));
  CHECK(forks->cause.ends_with("(288)"));
}

TEST_CASE("Nothing is told when nothing new was met") {
  const LimitHits hits{.out_of_memory = 2, .forks_refused = 5};
  CHECK_FALSE(limit_met(instance(1), hits, hits));
  CHECK_FALSE(limit_met(instance(1), hits, {}));
}
