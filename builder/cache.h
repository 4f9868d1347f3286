/// What builds of one app leave for the next, below CACHE/APP, root's alone (0700):
///   result.json    what the last bundle was made of, and its id
///   deps/KEY/      products of the interpreter's own setup: a venv, node_modules, ...
///   tree/          the tree of the last build of a repository, with its VCS directory
///   tree.json      what tree/ was made by, and its digests
/// Everything is renamed into place, so a killed build leaves old or new. Whatever is wrong with
/// the cache costs a longer build and nothing else. One build at a time uses it; another one does
/// without.
#pragma once

#include "base/files.h"
#include "builder/builder.h"
#include "builder/tree_files.h"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace upaas::builder {

/// What something was made of: named parts, each as a digest. Equal parts, equal product.
class Ingredients {
 public:
  /// Adds a part by its text.
  void add(const std::string& name, std::string_view text);
  void add_digest(const std::string& name, std::string digest);
  void add(const Ingredients& others);
  [[nodiscard]] std::string digest() const;
  /// The names of parts that differ or are in one only: "requirements.txt, interpreter".
  [[nodiscard]] std::string difference(const Ingredients& other) const;
  friend bool operator==(const Ingredients&, const Ingredients&) = default;

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] static Ingredients from_json(const Json& json);

 private:
  std::vector<std::pair<std::string, std::string>> parts_;
};

class Cache {
 public:
  struct Result {
    Ingredients made_of;
    bundle::Packed packed;
    model::Runtime runtime;
  };

  /// `directory` empty: nothing is kept. `uid`: whose the files in a tree are.
  Cache(const std::filesystem::path& directory, const model::AppName& app, model::Uid uid);
  [[nodiscard]] bool usable() const { return lock_.has_value(); }

  [[nodiscard]] std::optional<Result> last_result() const;
  void keep_result(const Result& result);

  /// Copies `paths` into the tree. Otherwise says why not: which part differs from what was kept
  /// last.
  [[nodiscard]] std::optional<std::string> restore(const Ingredients& key,
                                                   const std::vector<model::TreePath>& paths,
                                                   const std::filesystem::path& tree);
  /// Keeps a copy of those `paths` that the tree has, and forgets older ones.
  void keep(const Ingredients& key, const std::vector<model::TreePath>& paths,
            const std::filesystem::path& tree);

  struct Taken {
    bool there = false;
    std::string why_not;  // empty when none was kept
    std::string left;     // its digest
    std::string source;   // that of what the build which left it was made of
  };
  /// Moves the kept tree to `tree`, which must not exist, when it was made by the same.
  [[nodiscard]] Taken take_tree(const Ingredients& by, const std::filesystem::path& tree);
  /// Moves the tree of a build that is done into the cache.
  void keep_tree(const Ingredients& by, const std::filesystem::path& tree,
                 const std::string& source);

 private:
  /// What builds left that were killed. Under the lock.
  void clean() const;
  /// Another user may have built last.
  void give(const std::filesystem::path& path) const;

  std::filesystem::path directory_;
  model::Uid uid_;
  std::optional<FileLock> lock_;
};

/// The digest of everything in a tree that would be packed: names, kinds, contents, links.
/// Error(interrupted) on stop.
[[nodiscard]] std::string tree_digest(const std::filesystem::path& tree,
                                      const std::stop_token& stop = {});
/// That of the content of one file in it.
[[nodiscard]] std::string file_digest(const std::filesystem::path& tree, const std::string& path);

}  // namespace upaas::builder
