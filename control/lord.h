/// Who decides. On one machine: whoever holds the store (SQLite admits one process). The epoch
/// grows with every election, in the transaction that takes the lordship, and is in every order;
/// every write of a lord compares the lord key, so a former lord cannot write.
#pragma once

#include "store/store.h"

#include <string>

namespace upaas::control {

struct Lord {
  std::string name;
  long long epoch = 0;
  store::Revision modified = 0;  // of the lord key

  [[nodiscard]] store::Compare held() const { return store::Compare::unchanged("lord", modified); }
};

/// The sole election: takes it at once.
[[nodiscard]] Lord take_lordship(store::Store& store, const std::string& name);

}  // namespace upaas::control
