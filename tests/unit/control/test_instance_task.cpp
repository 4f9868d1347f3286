#include "control/instance_task.h"

#include <catch2/catch.hpp>

using namespace upaas::control;
using upaas::model::InstanceState;
using upaas::model::Wanted;

TEST_CASE("the next task is the shortest way from what is to what is wanted") {
  using State = InstanceState;
  CHECK(next_task(Wanted::held, State::placed) == TaskKind::start);
  CHECK(next_task(Wanted::live, State::placed) == TaskKind::start);
  CHECK(next_task(Wanted::live, State::failed) == TaskKind::start);
  CHECK_FALSE(next_task(Wanted::held, State::held));
  CHECK(next_task(Wanted::live, State::held) == TaskKind::announce);
  CHECK_FALSE(next_task(Wanted::live, State::live));
  CHECK(next_task(Wanted::draining, State::live) == TaskKind::withdraw);
  CHECK_FALSE(next_task(Wanted::draining, State::draining));
  CHECK(next_task(Wanted::live, State::draining) == TaskKind::announce);
  for (const auto state :
       {State::placed, State::starting, State::held, State::live, State::draining, State::failed}) {
    CHECK(next_task(Wanted::gone, state) == TaskKind::stop);
  }
  CHECK_FALSE(next_task(Wanted::gone, State::stopped));
}
