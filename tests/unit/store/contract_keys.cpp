#include "base/error.h"
#include "tests/unit/store/contract.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <thread>

namespace upaas::store {
namespace {

std::vector<std::string> keys(const Listing& listing) {
  std::vector<std::string> found;
  for (const KeyValue& item : listing.items) found.push_back(item.key);
  return found;
}

template <typename Action>
ErrorKind kind_of_error(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::plan_changes;  // no store throws it: there was no error
}

bool holds(Store& store, const Compare& compare) {
  return store.txn({compare}, {}).succeeded;
}

}  // namespace

void contract_keys(const StoreUnderTest& test) {
  const auto store = test.open();

  SECTION("a missing key is nothing, a put one has its value and revisions") {
    CHECK_FALSE(store->get("a").has_value());
    const Revision first = store->txn({}, {Operation::put("a", "1")}).revision;
    const Revision second = store->txn({}, {Operation::put("a", "2")}).revision;
    CHECK(second == first + 1);
    const auto found = store->get("a");
    REQUIRE(found);
    CHECK(found->key == "a");
    CHECK(found->value == "2");
    CHECK(found->created == first);
    CHECK(found->modified == second);
    CHECK(found->lease == 0);
  }
  SECTION("a value is bytes") {
    const std::string bytes("\0\xff\n\"x\0", 6);
    put(*store, "bytes", bytes);
    put(*store, "empty", "");
    CHECK(store->get("bytes")->value == bytes);
    CHECK(store->get("empty")->value.empty());
  }
  SECTION("a key that was removed and put again is created again") {
    put(*store, "a", "1");
    store->txn({}, {Operation::remove("a")});
    CHECK_FALSE(store->get("a"));
    const Revision again = store->txn({}, {Operation::put("a", "1")}).revision;
    CHECK(store->get("a")->created == again);
  }
  SECTION("a list is by key, of the prefix only, and tells its snapshot's revision") {
    CHECK(store->list("").items.empty());
    for (const char* key : {"b/2", "a", "b/10", "b", "b0", "b/~", "c"}) put(*store, key, key);
    const Listing listing = store->list("b/");
    CHECK(keys(listing) == std::vector<std::string>{"b/10", "b/2", "b/~"});
    CHECK(listing.items[0].value == "b/10");
    CHECK(listing.revision == store->get("c")->modified);
    CHECK(keys(store->list("")).size() == 7);
    CHECK(store->list("nothing").items.empty());
  }
  SECTION("remove_prefix removes these and no others") {
    for (const char* key : {"b/2", "a", "b/~", "b", "b0"}) put(*store, key, "");
    store->txn({}, {Operation::remove_prefix("b/")});
    CHECK(keys(store->list("")) == std::vector<std::string>{"a", "b", "b0"});
  }
  SECTION("what changes nothing has no revision of its own") {
    put(*store, "a", "1");
    const Revision before = store->list("").revision;
    CHECK(store->txn({}, {Operation::get("a")}).revision == before);
    CHECK(store->txn({}, {Operation::remove("b"), Operation::remove_prefix("c")}).revision ==
          before);
    CHECK(store->txn({Compare::absent("a")}, {Operation::put("a", "2")}).revision == before);
    CHECK(store->list("").revision == before);
  }
}

void contract_transactions(const StoreUnderTest& test) {
  const auto store = test.open();

  SECTION("one branch is done, with one revision for all of it") {
    const TxnResult made =
        store->txn({Compare::absent("a")}, {Operation::put("a", "1"), Operation::put("b", "1")},
                   {Operation::put("c", "1")});
    CHECK(made.succeeded);
    CHECK(store->get("a")->modified == made.revision);
    CHECK(store->get("b")->created == made.revision);
    CHECK_FALSE(store->get("c"));
    const TxnResult refused = store->txn({Compare::absent("a")}, {Operation::put("a", "2")},
                                         {Operation::put("c", "1"), Operation::get("a")});
    CHECK_FALSE(refused.succeeded);
    CHECK(store->get("a")->value == "1");
    CHECK(store->get("c"));
    REQUIRE(refused.results.size() == 2);
    CHECK_FALSE(refused.results[0]);
    REQUIRE(refused.results[1]);
    CHECK(refused.results[1]->value == "1");
  }
  SECTION("a get sees the operations before it") {
    const TxnResult result =
        store->txn({}, {Operation::get("a"), Operation::put("a", "1"), Operation::get("a")});
    CHECK_FALSE(result.results[0]);
    REQUIRE(result.results[2]);
    CHECK(result.results[2]->value == "1");
  }
  SECTION("all compares must hold") {
    put(*store, "a", "1");
    CHECK_FALSE(store->txn({Compare::exists("a"), Compare::exists("b")}, {}).succeeded);
    CHECK(store->txn({Compare::exists("a"), Compare::absent("b")}, {}).succeeded);
  }
  SECTION("every kind of compare") {
    using Target = Compare::Target;
    using Is = Compare::Is;
    const Revision created = store->txn({}, {Operation::put("a", "m")}).revision;
    const Revision modified = store->txn({}, {Operation::put("a", "m")}).revision;
    for (const auto& [target, there] :
         {std::pair{Target::created, created}, {Target::modified, modified}}) {
      CHECK(holds(*store, {"a", target, Is::equal, there, {}}));
      CHECK_FALSE(holds(*store, {"a", target, Is::equal, there + 1, {}}));
      CHECK(holds(*store, {"a", target, Is::not_equal, there + 1, {}}));
      CHECK_FALSE(holds(*store, {"a", target, Is::not_equal, there, {}}));
      CHECK(holds(*store, {"a", target, Is::less, there + 1, {}}));
      CHECK_FALSE(holds(*store, {"a", target, Is::less, there, {}}));
      CHECK(holds(*store, {"a", target, Is::greater, there - 1, {}}));
      CHECK_FALSE(holds(*store, {"a", target, Is::greater, there, {}}));
    }
    CHECK(holds(*store, Compare::unchanged("a", modified)));
    CHECK(holds(*store, Compare::value_is("a", "m")));
    CHECK_FALSE(holds(*store, Compare::value_is("a", "mm")));
    CHECK(holds(*store, {"a", Target::value, Is::not_equal, 0, "n"}));
    CHECK(holds(*store, {"a", Target::value, Is::less, 0, "n"}));
    CHECK(holds(*store, {"a", Target::value, Is::less, 0, "\xff"}));
    CHECK(holds(*store, {"a", Target::value, Is::greater, 0, "l"}));
  }
  SECTION("a missing key has revision 0 and no value") {
    using Is = Compare::Is;
    CHECK(holds(*store, {"a", Compare::Target::modified, Is::equal, 0, {}}));
    CHECK(holds(*store, Compare::absent("a")));
    CHECK_FALSE(holds(*store, Compare::value_is("a", "")));
    CHECK_FALSE(holds(*store, {"a", Compare::Target::value, Is::not_equal, 0, "x"}));
  }
}

void contract_limits(const StoreUnderTest& test) {
  const auto store = test.open();
  const auto refused = [&](const std::vector<Operation>& operations) {
    const Revision before = store->list("").revision;
    const ErrorKind kind = kind_of_error([&] { store->txn({}, operations); });
    CHECK(store->list("").revision == before);
    return kind == ErrorKind::invalid;
  };

  SECTION("a key is put once, and not put and removed, in one transaction") {
    CHECK(refused({Operation::put("a", "1"), Operation::put("b", "1"), Operation::put("a", "2")}));
    CHECK(refused({Operation::remove("a"), Operation::put("a", "1")}));
    CHECK(refused({Operation::put("a/b", "1"), Operation::remove_prefix("a/")}));
    CHECK(kind_of_error([&] {
            store->txn({}, {}, {Operation::put("a", "1"), Operation::put("a", "1")});
          }) == ErrorKind::invalid);
  }
  SECTION("128 operations are possible, 129 are not") {
    std::vector<Operation> operations;
    for (int i = 0; i < 128; ++i) operations.push_back(Operation::put("k" + std::to_string(i), ""));
    CHECK(store->txn({}, operations).succeeded);
    operations.push_back(Operation::get("a"));
    CHECK(refused(operations));
    const std::vector<Compare> compares(129, Compare::absent("a"));
    CHECK(kind_of_error([&] { store->txn(compares, {}); }) == ErrorKind::invalid);
  }
  SECTION("a value has at most 1 MiB") {
    const std::string most(std::size_t{1} << 20, 'v');
    put(*store, "a", most);
    CHECK(store->get("a")->value == most);
    CHECK(refused({Operation::put("a", most + "v")}));
  }
  SECTION("a key has 1 to 512 bytes of printable ASCII") {
    const std::string longest(512, 'k');
    put(*store, longest, "1");
    put(*store, "~ !", "1");
    CHECK(store->get(longest));
    CHECK(refused({Operation::put(longest + "k", "")}));
    for (const char* key : {"", "a\n", "\x7f", "\xc3\xa9"}) {
      CHECK(refused({Operation::put(key, "")}));
      CHECK(kind_of_error([&] { (void)store->get(key); }) == ErrorKind::invalid);
    }
    CHECK(kind_of_error([&] { (void)store->list("a\n"); }) == ErrorKind::invalid);
  }
}

void contract_concurrency(const StoreUnderTest& test) {
  const auto store = test.open();

  SECTION("increments by compare from four threads are never lost") {
    put(*store, "n", "0");
    const auto increment = [&] {
      for (int done = 0; done < 50;) {
        const auto now = store->get("n");
        const std::string next = std::to_string(std::stoi(now->value) + 1);
        done += store->txn({Compare::unchanged("n", now->modified)}, {Operation::put("n", next)})
                    .succeeded;
      }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(increment);
    for (std::thread& thread : threads) thread.join();
    CHECK(store->get("n")->value == "200");
  }
  SECTION("a list never shows half of a transaction") {
    std::thread writer([&] {
      for (int i = 0; i < 100; ++i) {
        const std::string value = std::to_string(i);
        store->txn({}, {Operation::put("a", value), Operation::put("b", value)});
      }
    });
    bool whole = true;
    for (int i = 0; i < 300; ++i) {
      const Listing listing = store->list("");
      if (listing.items.size() == 2) {
        whole = whole && listing.items[0].value == listing.items[1].value &&
                listing.items[0].modified == listing.revision;
      } else {
        whole = whole && listing.items.empty();
      }
    }
    writer.join();
    CHECK(whole);
  }
}

}  // namespace upaas::store
