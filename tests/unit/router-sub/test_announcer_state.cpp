#include "router-sub/announcer_state.h"

#include <catch2/catch.hpp>

namespace upaas::router_sub {
namespace {

using namespace std::chrono_literals;

const Steady::time_point kStart = Steady::time_point(1h);
constexpr auto kFresh = 7s;

Route route(const std::string& instance, bool live,
            std::vector<std::string> domains = {"hello.test"}) {
  Route made{.instance = instance,
             .app = model::AppName("hello"),
             .uid = {1000},
             .address = "/i/" + instance,
             .domains = {},
             .live = live};
  for (const std::string& domain : domains) {
    made.domains.emplace_back(domain);
  }
  return made;
}

Announcement from(const std::string& instance, Verb verb = Verb::subscribe) {
  return {.verb = verb, .key = instance, .address = "/i/" + instance, .cores = 3};
}

std::string text(const std::vector<Message>& messages) {
  std::string all;
  for (const Message& message : messages) {
    all += std::string(message.verb == Verb::subscribe ? "+" : "-") + message.subscription.key +
           "=" + message.subscription.address + " ";
  }
  return all;
}

}  // namespace

TEST_CASE("only the route's own uid and address are believed") {
  AnnouncerState state(kFresh);
  REQUIRE(state.set_routes({.generation = 3, .items = {route("a", true)}}, kStart).empty());
  CHECK(state.generation() == 3);
  CHECK(!state.hear(from("b"), 1000, kStart));
  CHECK(!state.hear(from("a"), 1001, kStart));
  CHECK(!state.hear({.key = "a", .address = "/i/b"}, 1000, kStart));
  const auto messages = state.hear(from("a"), 1000, kStart);
  REQUIRE(messages);
  CHECK(text(*messages) == "+hello.test=/i/a ");
  CHECK(messages->front().subscription.cores == 3);
}

TEST_CASE("who speaks all the time causes no more messages than once a second") {
  AnnouncerState state(kFresh);
  (void)state.set_routes({.generation = 1, .items = {route("a", true)}}, kStart);
  std::size_t messages = 0;
  for (int i = 0; i < 1000; ++i) {
    messages += state.hear(from("a"), 1000, kStart + i * 10ms).value().size();
  }
  CHECK(messages >= 10);
  CHECK(messages <= 14);
  CHECK(state.hear(from("a"), 1000, kStart + 12s).value().size() == 1);
}

TEST_CASE("a held route is remembered and subscribed the moment it is live") {
  AnnouncerState state(kFresh);
  (void)state.set_routes({.generation = 1, .items = {route("a", false)}}, kStart);
  CHECK(state.hear(from("a"), 1000, kStart).value().empty());
  CHECK(text(state.set_routes({.generation = 2, .items = {route("a", true)}}, kStart + 6s)) ==
        "+hello.test=/i/a ");
  CHECK(state.set_routes({.generation = 3, .items = {route("a", true)}}, kStart + 6s).empty());
}

TEST_CASE("an old announcement is no sign of life") {
  AnnouncerState state(kFresh);
  (void)state.set_routes({.generation = 1, .items = {route("a", false)}}, kStart);
  (void)state.hear(from("a"), 1000, kStart);
  CHECK(state.set_routes({.generation = 2, .items = {route("a", true)}}, kStart + 8s).empty());
  CHECK(state.all(kStart + 8s).empty());
  (void)state.hear(from("a"), 1000, kStart + 9s);
  CHECK(text(state.all(kStart + 10s)) == "+hello.test=/i/a ");
}

TEST_CASE("what stops to be live is unsubscribed, domain by domain") {
  AnnouncerState state(kFresh);
  (void)state.set_routes(
      {.generation = 1, .items = {route("a", true, {"x.test", "y.test"}), route("b", true)}},
      kStart);
  (void)state.hear(from("a"), 1000, kStart);
  CHECK(text(state.set_routes(
            {.generation = 2, .items = {route("a", true, {"y.test", "z.test"}), route("b", true)}},
            kStart)) == "-x.test=/i/a +y.test=/i/a +z.test=/i/a ");
  CHECK(text(state.set_routes({.generation = 3, .items = {route("a", false, {"y.test", "z.test"})}},
                              kStart)) == "-y.test=/i/a -z.test=/i/a -hello.test=/i/b ");
  CHECK(state.set_routes({.generation = 4, .items = {}}, kStart).empty());
}

TEST_CASE("an instance's own unsubscription is passed on, and it counts as silent from then on") {
  AnnouncerState state(kFresh);
  (void)state.set_routes({.generation = 1, .items = {route("a", true)}}, kStart);
  (void)state.hear(from("a"), 1000, kStart);
  CHECK(text(*state.hear(from("a", Verb::unsubscribe), 1000, kStart)) == "-hello.test=/i/a ");
  CHECK(state.all(kStart).empty());
}

TEST_CASE("a route that changes its owner has to be announced anew") {
  AnnouncerState state(kFresh);
  (void)state.set_routes({.generation = 1, .items = {route("a", true)}}, kStart);
  (void)state.hear(from("a"), 1000, kStart);
  Route other = route("a", true);
  other.uid = {1001};
  CHECK(state.set_routes({.generation = 2, .items = {other}}, kStart).empty());
  CHECK(state.all(kStart).empty());
}

}  // namespace upaas::router_sub
