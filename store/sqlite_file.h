/// The SQLite file of the store: one process at a time, made whole or not at all, checked when it
/// is opened. Private to store/.
///
/// Tables (all STRICT; user_version 1, application_id "upas"):
///   state    one row: the global revision; the last revision whose changes were trimmed
///   keys     what is there now
///   changes  what happened, by revision, for watches; value NULL = removed
///   leases   id and time to live in seconds; their deadlines are in memory only
#pragma once

#include "base/files.h"
#include "store/sqlite.h"

#include <filesystem>

namespace upaas::store {

/// Locks FILE.lock, makes FILE (0600) when it is missing, and checks it. The lock lasts as long as
/// the result. A missing file next to a left-over FILE-wal is refused as damaged: that journal
/// would be replayed into the new file.
///
/// Error(conflict) that names the holder's pid; Error(config) when FILE is damaged, is empty,
/// belongs to another program or was written by a newer upaas.
[[nodiscard]] FileLock claim_store_file(const std::filesystem::path& file);

/// A connection with the settings of the store: WAL, synchronous FULL.
[[nodiscard]] sqlite::Database open_store_file(const std::filesystem::path& file);

}  // namespace upaas::store
