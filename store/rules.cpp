#include "store/rules.h"

#include "base/error.h"

#include <algorithm>
#include <set>

namespace upaas::store {
namespace {

constexpr char kFirstPrintable = 0x20;
constexpr char kLastPrintable = 0x7e;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::invalid, message);
}

void check_count(std::size_t count, std::string_view what) {
  if (count > kOperationLimit) {
    refuse("a transaction of " + std::to_string(count) + " " + std::string(what) + ": at most " +
           std::to_string(kOperationLimit) + " are possible");
  }
}

bool removes(const Operation& operation, std::string_view key) {
  return (operation.kind == Operation::Kind::remove && operation.key == key) ||
         (operation.kind == Operation::Kind::remove_prefix && key.starts_with(operation.key));
}

void check_put(const Operation& put, const std::vector<Operation>& branch) {
  if (put.value.size() > kValueLimit) {
    refuse("the value of " + put.key + " has " + std::to_string(put.value.size()) +
           " bytes: at most " + std::to_string(kValueLimit) + " are possible");
  }
  if (std::ranges::any_of(branch, [&](const auto& other) { return removes(other, put.key); })) {
    refuse("the transaction puts and removes " + put.key);
  }
}

void check_branch(const std::vector<Operation>& branch) {
  check_count(branch.size(), "operations");
  std::set<std::string_view> keys;
  for (const Operation& operation : branch) {
    if (operation.kind == Operation::Kind::remove_prefix) {
      check_prefix(operation.key);
      continue;
    }
    check_key(operation.key);
    if (operation.kind != Operation::Kind::put) continue;
    check_put(operation, branch);
    if (!keys.insert(operation.key).second)
      refuse("the transaction puts " + operation.key + " twice");
  }
}

}  // namespace

void check_prefix(std::string_view prefix) {
  if (prefix.size() > kKeyLimit) {
    refuse("a key of " + std::to_string(prefix.size()) + " bytes: at most " +
           std::to_string(kKeyLimit) + " are possible");
  }
  const auto bad = std::ranges::find_if(
      prefix, [](char c) { return c < kFirstPrintable || c > kLastPrintable; });
  if (bad != prefix.end()) {
    refuse("a key with a byte that is not printable ASCII after \"" +
           std::string(prefix.begin(), bad) + "\"");
  }
}

void check_key(std::string_view key) {
  if (key.empty()) refuse("an empty key");
  check_prefix(key);
}

void check_txn(const std::vector<Compare>& compares, const std::vector<Operation>& then,
               const std::vector<Operation>& otherwise) {
  check_count(compares.size(), "compares");
  for (const Compare& compare : compares) check_key(compare.key);
  check_branch(then);
  check_branch(otherwise);
}

std::chrono::seconds checked_ttl(std::chrono::seconds ttl) {
  if (ttl > kLongestLease) refuse("a lease of " + std::to_string(ttl.count()) + " s is too long");
  return std::max(ttl, kShortestLease);
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  if (end.empty()) return std::string(1, kLastPrintable + 1);
  ++end.back();  // never overflows: the last printable byte has a successor
  return end;
}

}  // namespace upaas::store
