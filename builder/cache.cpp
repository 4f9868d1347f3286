#include "builder/cache.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "bundle/beneath.h"
#include "bundle/packer.h"
#include "bundle/tree_scan.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace upaas::builder {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kJsonLimit = std::size_t{1} << 20;
constexpr std::size_t kKept = 2;  // sets of dependencies
constexpr std::string_view kUnfinished = "new-";

void must(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  command.deadline = std::chrono::minutes(10);
  const Outcome outcome = run(command);
  if (outcome.ok()) return;
  Error failure(ErrorKind::internal, command.argv.front() + ": " + outcome.describe());
  throw failure.with_output(outcome.last_lines(5));
}

/// cp keeps modes, times, owners and links as they are, and follows none.
void copy_tree(const fs::path& from, const fs::path& to) {
  must({"/bin/cp", "-a", "--reflink=auto", "--", from.string(), to.string()});
}

/// Whole or not at all, also to another file system.
void move_tree(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (!failure) return;
  if (failure != std::errc::cross_device_link)
    throw system_error("move " + from.string(), failure.value());
  const TempDir temporary(to.parent_path(), kUnfinished);
  copy_tree(from, temporary.path() / "tree");
  fs::rename(temporary.path() / "tree", to);
  remove_tree(from);
}

/// The directory of a path inside of a tree, made where it is missing. False where something else
/// is in the way: a build may have put a link there.
bool make_parents(const fs::path& tree, const model::TreePath& path) {
  const UniqueFd root = bundle::open_root(tree);
  const TreeFiles files(tree);
  struct stat owner {};
  if (::fstat(root.get(), &owner) != 0) throw system_error(tree.string());
  for (auto slash = path.str().find('/'); slash != std::string::npos;
       slash = path.str().find('/', slash + 1)) {
    const std::string parent = path.str().substr(0, slash);
    if (::mkdirat(root.get(), parent.c_str(), 0755) == 0) {
      if (::fchownat(root.get(), parent.c_str(), owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) !=
          0)
        throw system_error(parent);
    }
    if (!files.has_directory(parent)) return false;
  }
  return true;
}

/// Newest last.
std::vector<fs::path> by_age(const fs::path& directory) {
  std::vector<fs::path> all;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) all.push_back(entry.path());
  std::sort(all.begin(), all.end(), [](const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::last_write_time(a, ignored) < fs::last_write_time(b, ignored);
  });
  return all;
}

/// A cache that cannot be read or written is no reason to fail.
template <typename Work>
void carefully(const char* what, const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    log_warning("build cache", {{"what", what}, {"error", error.what()}});
  }
}

std::optional<Json> read_json(const fs::path& file) {
  std::optional<Json> json;
  carefully("read", [&] {
    if (const auto text = read_file_if_any(file, kJsonLimit))
      json = parse_json(*text, file.native(), kJsonLimit);
  });
  return json;
}

}  // namespace

void Ingredients::add(const std::string& name, std::string_view text) {
  add_digest(name, sha256(text));
}

void Ingredients::add_digest(const std::string& name, std::string digest) {
  parts_.emplace_back(name, std::move(digest));
}

void Ingredients::add(const Ingredients& others) {
  parts_.insert(parts_.end(), others.parts_.begin(), others.parts_.end());
}

std::string Ingredients::digest() const {
  return sha256(dump_json(to_json()));
}

std::string Ingredients::difference(const Ingredients& other) const {
  std::string names;
  for (const auto& part : parts_) {
    if (std::find(other.parts_.begin(), other.parts_.end(), part) != other.parts_.end()) continue;
    names += (names.empty() ? "" : ", ") + part.first;
  }
  return names;
}

Json Ingredients::to_json() const {
  Json json = Json::array();
  for (const auto& [name, digest] : parts_) json.push_back({{"name", name}, {"digest", digest}});
  return json;
}

Ingredients Ingredients::from_json(const Json& json) {
  Ingredients made;
  for (const Json& part : json)
    made.add_digest(get_string(part, "name"), get_string(part, "digest"));
  return made;
}

Cache::Cache(const fs::path& directory, const model::AppName& app, model::Uid uid) : uid_(uid) {
  if (directory.empty()) return;
  carefully("open", [&] {
    directory_ = directory / app.str();
    make_directory(directory, 0700);
    make_directory(directory_, 0700);
    lock_ = FileLock::attempt(directory_ / "lock");
    if (lock_) clean();
  });
}

void Cache::clean() const {
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    // Its own directories, and the temporary names of its files.
    if (entry.path().filename().native().find(kUnfinished) != std::string::npos)
      unfinished.push_back(entry.path());
  }
  if (!fs::exists(directory_ / "tree.json")) unfinished.push_back(directory_ / "tree");
  for (const fs::path& path : unfinished) remove_tree(path);
}

void Cache::give(const fs::path& path) const {
  struct stat info {};
  if (::geteuid() != 0 || ::lstat(path.c_str(), &info) != 0 || info.st_uid == uid_.value) return;
  const std::string owner = std::to_string(uid_.value);
  must({"/bin/chown", "-R", "-h", owner + ":" + owner, "--", path.string()});
}

std::optional<Cache::Result> Cache::last_result() const {
  if (!usable()) return std::nullopt;
  const auto json = read_json(directory_ / "result.json");
  std::optional<Result> result;
  if (!json) return result;
  carefully("result", [&] {
    result = Result{Ingredients::from_json(get_array(*json, "made_of")),
                    {model::BundleId(get_string(*json, "bundle")),
                     static_cast<std::uint64_t>(get_int(*json, "bytes")),
                     static_cast<std::size_t>(get_int(*json, "entries"))},
                    model::runtime_from_json(get_object(*json, "runtime"))};
  });
  return result;
}

void Cache::keep_result(const Result& result) {
  if (!usable()) return;
  carefully("result", [&] {
    write_file(directory_ / "result.json",
               dump_json({{"made_of", result.made_of.to_json()},
                          {"bundle", result.packed.id.str()},
                          {"bytes", result.packed.bytes},
                          {"entries", result.packed.entries},
                          {"runtime", model::to_json(result.runtime)}}),
               {.mode = 0600, .sync = false});
  });
}

std::optional<std::string> Cache::restore(const Ingredients& key,
                                          const std::vector<model::TreePath>& paths,
                                          const fs::path& tree) {
  if (!usable()) return "no cache";
  const fs::path kept = directory_ / "deps" / key.digest();
  if (!fs::is_directory(kept)) {
    const auto all = by_age(directory_ / "deps");
    if (all.empty()) return "none were kept";
    const auto json = read_json(all.back() / "made_of.json");
    const std::string other = json ? key.difference(Ingredients::from_json(*json)) : "";
    return other.empty() ? "none were kept" : "not the same as last time: " + other;
  }
  std::optional<std::string> trouble;
  carefully("restore", [&] {
    trouble = "the cache could not be read";
    const TreeFiles there(kept);
    for (const model::TreePath& path : paths) {
      if (!there.has(path.str())) continue;
      if (!make_parents(tree, path)) {
        trouble = "something else is at " + path.str();
        return;
      }
      const fs::path place = tree / path.str();
      remove_tree(place);
      try {
        copy_tree(kept / path.str(), place);
      } catch (const Error&) {
        remove_tree(place);  // half of it
        throw;
      }
      give(place);
    }
    fs::last_write_time(kept, fs::file_time_type::clock::now());
    trouble.reset();
  });
  return trouble;
}

void Cache::keep(const Ingredients& key, const std::vector<model::TreePath>& paths,
                 const fs::path& tree) {
  if (!usable()) return;
  carefully("keep", [&] {
    const fs::path all = directory_ / "deps";
    make_directory(all, 0700);
    const TempDir temporary(directory_, kUnfinished);
    const fs::path made = temporary.path() / "deps";
    make_directory(made, 0700);
    const TreeFiles there(tree);
    for (const model::TreePath& path : paths) {
      if (!there.has(path.str())) continue;
      fs::create_directories((made / path.str()).parent_path());
      copy_tree(tree / path.str(), made / path.str());
    }
    write_file(made / "made_of.json", dump_json(key.to_json()), {.mode = 0600, .sync = false});
    remove_tree(all / key.digest());
    fs::rename(made, all / key.digest());
    auto kept = by_age(all);
    for (; kept.size() > kKept; kept.erase(kept.begin())) remove_tree(kept.front());
  });
}

Cache::Taken Cache::take_tree(const Ingredients& by, const fs::path& tree) {
  Taken taken;
  if (!usable()) return taken;
  carefully("take the tree", [&] {
    const auto json = read_json(directory_ / "tree.json");
    // From here on it is this build's: a failure leaves none behind.
    fs::remove(directory_ / "tree.json");
    if (!json) return;
    taken.why_not = "the kept tree could not be read";
    const auto made_by = Ingredients::from_json(get_array(*json, "made_by"));
    taken.left = get_string(*json, "left");
    taken.source = get_string(*json, "source");
    if (made_by == by) {
      move_tree(directory_ / "tree", tree);
      give(tree);
      taken.there = true;
    } else {
      taken.why_not = "not the same as last time: " + by.difference(made_by);
    }
  });
  carefully("remove the tree", [&] { remove_tree(directory_ / "tree"); });
  return taken;
}

void Cache::keep_tree(const Ingredients& by, const fs::path& tree, const std::string& source) {
  if (!usable()) return;
  carefully("keep the tree", [&] {
    fs::remove(directory_ / "tree.json");
    remove_tree(directory_ / "tree");
    const std::string left = tree_digest(tree);
    move_tree(tree, directory_ / "tree");
    write_file(directory_ / "tree.json",
               dump_json({{"made_by", by.to_json()}, {"left", left}, {"source", source}}),
               {.mode = 0600, .sync = false});
  });
}

std::string tree_digest(const fs::path& tree, const std::stop_token& stop) {
  std::vector<bundle::Entry> entries = bundle::scan_tree(tree, {});
  const UniqueFd root = bundle::open_root(tree);
  bundle::hash_files(root.get(), entries, {.stop = stop});
  Json all = Json::array();
  for (const bundle::Entry& entry : entries) {
    all.push_back({entry.path.str(), static_cast<int>(entry.type), entry.executable, entry.sha256,
                   entry.target});
  }
  return sha256(dump_json(all));
}

std::string file_digest(const fs::path& tree, const std::string& path) {
  const UniqueFd root = bundle::open_root(tree);
  const UniqueFd fd = bundle::open_beneath(root.get(), path, O_RDONLY | O_NONBLOCK);
  Sha256 digest;
  for (std::string piece; bundle::read_piece(fd.get(), piece, path);) digest.update(piece);
  return digest.hex();
}

}  // namespace upaas::builder
