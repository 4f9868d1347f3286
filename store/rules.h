/// The limits of store.h, checked before anything is written, so that every implementation refuses
/// the same calls. Source: etcd v3 (max-txn-ops 128, "duplicate key given in txn request"). Private
/// to store/. All functions are pure; a broken rule is Error(invalid) that names it.
#pragma once

#include "store/store.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::store {

inline constexpr std::size_t kKeyLimit = 512;
inline constexpr std::size_t kValueLimit = std::size_t{1} << 20;
inline constexpr std::chrono::seconds kShortestLease{2};
inline constexpr std::chrono::seconds kLongestLease{366 * 24 * 3600};

void check_key(std::string_view key);
/// Like a key, but may be empty: everything.
void check_prefix(std::string_view prefix);
/// Both branches are checked, whichever will be done. Besides the limits: no key is put twice, none
/// is put and removed, in one branch.
void check_txn(const std::vector<Compare>& compares, const std::vector<Operation>& then,
               const std::vector<Operation>& otherwise);
/// The time as it will be granted.
[[nodiscard]] std::chrono::seconds checked_ttl(std::chrono::seconds ttl);

/// Keys with the prefix are those in [prefix, prefix_end(prefix)).
[[nodiscard]] std::string prefix_end(std::string_view prefix);

}  // namespace upaas::store
