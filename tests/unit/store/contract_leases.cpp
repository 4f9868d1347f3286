#include "base/clock.h"
#include "base/error.h"
#include "tests/unit/store/contract.h"

#include <catch2/catch.hpp>

#include <chrono>

namespace upaas::store {

using namespace std::chrono_literals;

void contract_leases(const StoreUnderTest& test) {
  const auto store = test.open();

  SECTION("a lease that runs out removes its keys and tells watches; it is dead then") {
    Recorder recorder;
    const auto watch = store->watch("lord", 1, recorder.callback());
    const auto granted = Steady::now();
    const LeaseId lease = store->lease_grant(1s);  // raised to 2 s
    REQUIRE(lease != 0);
    store->txn({}, {Operation::put("lord", "me", lease), Operation::put("lord/since", "now", lease),
                    Operation::put("other", "stays")});
    CHECK(store->get("lord")->lease == lease);
    REQUIRE(recorder.wait_for(2));
    CHECK(Steady::now() - granted >= 2s);
    CHECK(describe(recorder.events()[1]) ==
          std::vector<std::string>{"removed lord", "removed lord/since"});
    CHECK_FALSE(store->get("lord"));
    CHECK(store->get("other"));
    CHECK(store->lease_keepalive(lease) == 0s);
    CHECK_THROWS_AS(store->txn({}, {Operation::put("lord", "me", lease)}), Error);
  }
  SECTION("keepalives keep a lease beyond its time") {
    const auto granted = Steady::now();
    const LeaseId lease = store->lease_grant(2s);
    store->txn({}, {Operation::put("lord", "me", lease)});
    const LeaseId short_lived = store->lease_grant(2s);
    store->txn({}, {Operation::put("rival", "me", short_lived)});
    CHECK(wait_until(
        [&] {
          CHECK(store->lease_keepalive(lease) == 2s);
          return !store->get("rival");
        },
        20s));
    CHECK(Steady::now() - granted >= 2s);
    CHECK(store->get("lord"));
  }
  SECTION("revoking removes the keys at once, in one revision") {
    const LeaseId lease = store->lease_grant(60s);
    CHECK(store->lease_keepalive(lease) == 60s);
    store->txn({}, {Operation::put("a", "1", lease), Operation::put("b", "1", lease)});
    const Revision before = store->list("").revision;
    store->lease_revoke(lease);
    const Listing after = store->list("");
    CHECK(after.items.empty());
    CHECK(after.revision == before + 1);
    CHECK(store->lease_keepalive(lease) == 0s);
  }
  SECTION("a put without the lease takes the key out of it") {
    const LeaseId lease = store->lease_grant(60s);
    store->txn({}, {Operation::put("a", "1", lease)});
    put(*store, "a", "2");
    store->lease_revoke(lease);
    CHECK(store->get("a")->value == "2");
  }
  SECTION("an unknown lease is dead, and nothing can be put with it") {
    CHECK(store->lease_keepalive(123456) == 0s);
    try {
      store->txn({}, {Operation::put("a", "1"), Operation::put("b", "1", 123456)});
      FAIL("a put with an unknown lease went through");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::not_found);
    }
    CHECK(store->list("").items.empty());
  }
  SECTION("leases have different names") {
    CHECK(store->lease_grant(60s) != store->lease_grant(60s));
  }
}

}  // namespace upaas::store
