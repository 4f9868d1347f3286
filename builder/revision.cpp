#include "builder/revision.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>

namespace upaas::builder {

namespace {

constexpr std::size_t kLineLimit = 200;
constexpr std::size_t kTextLimit = 16'384;

struct Vcs {
  const char* directory;
  model::RevisionCommands commands;
};

/// upaas 2014's for git; the others say the same with their own words.
const std::vector<Vcs>& known() {
  static const std::vector<Vcs> all{
      {".git",
       {{"git log -1 --format=%H"},
        {"git log -1 --pretty='%aN <%aE>'"},
        {"git log -1 --pretty=%at"},
        {"git log -1 --pretty=%B"},
        {"git log --no-merges --format=medium %old%..%new%"}}},
      {".svn",
       {{"svn info --show-item revision --no-newline"},
        {"svn info --show-item last-changed-author --no-newline"},
        {"date -d \"$(svn info --show-item last-changed-date --no-newline)\" +%s"},
        {},
        {}}},
      {".hg",
       {{"hg log -r . -T '{node}'"},
        {"hg log -r . -T '{author}'"},
        {"hg log -r . -T '{date|hgdate}' | cut -d' ' -f1"},
        {"hg log -r . -T '{desc}'"},
        {"hg log -r 'only(%new%, %old%)' -T '{node|short} {author|person}: {desc|firstline}\\n'"}}},
      {".bzr",
       {{"bzr version-info --custom --template='{revision_id}'"},
        {"bzr log -l1 --log-format=long | sed -n 's/^committer: //p'"},
        {"date -d \"$(bzr version-info --custom --template='{date}')\" +%s"},
        {"bzr log -l1 --log-format=long | sed '1,/^message:/d; s/^  //'"},
        {"bzr log --log-format=short -r revid:%old%..revid:%new%"}}}};
  return all;
}

const model::RevisionCommands kUnknown{{}, {}, {"date +%s -r ."}, {}, {}};

std::string bounded(std::string text, std::size_t limit) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.size() > limit) text.resize(limit);
  return text;
}

/// What goes into a command line: no option, and letters that no shell acts on.
bool is_plain(const std::string& id) {
  constexpr std::string_view kOthers = "._@+-";
  return !id.empty() && id.front() != '-' && std::all_of(id.begin(), id.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != kOthers.npos;
  });
}

std::string replaced(std::string text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

class Asker {
 public:
  Asker(const Commands& commands, const Environment& env) : commands_(commands), env_(env) {}

  /// What `own` prints, else what `otherwise` does; a failure of the latter is an empty answer.
  std::string operator()(const char* name, const model::Script& own,
                         const model::Script& otherwise) const {
    const bool asked = !own.empty();
    std::string text;
    for (const std::string& line : asked ? own : otherwise) {
      const Outcome outcome = commands_.ask_shell(line, env_);
      if (!outcome.ok() && asked) {
        Error failure(ErrorKind::build_failed, "repository.revision." + std::string(name) + ": `" +
                                                   without_credentials(line) +
                                                   "`: " + outcome.describe());
        throw failure.with_output(outcome.last_lines(20));
      }
      if (outcome.ok()) text += outcome.stdout_only;
    }
    return text;
  }

 private:
  const Commands& commands_;
  const Environment& env_;
};

model::Script with_revisions(model::Script lines, const std::string& old, const std::string& now) {
  for (std::string& line : lines) line = replaced(replaced(line, "%old%", old), "%new%", now);
  return lines;
}

}  // namespace

model::Revision read_revision(const model::RevisionCommands& own,
                              const std::optional<std::string>& former, const TreeFiles& files,
                              const Commands& commands, const Environment& env) {
  const model::RevisionCommands* vcs = &kUnknown;
  for (const Vcs& candidate : known()) {
    if (files.has_directory(candidate.directory)) {
      vcs = &candidate.commands;
      break;
    }
  }
  const Asker ask(commands, env);
  model::Revision revision;
  revision.id = bounded(ask("id", own.id, vcs->id), kLineLimit);
  revision.author = bounded(ask("author", own.author, vcs->author), kLineLimit);
  revision.date = bounded(ask("date", own.date, vcs->date), kLineLimit);
  revision.description = bounded(ask("description", own.description, vcs->description), kTextLimit);
  if (former && *former != revision.id && is_plain(*former) && is_plain(revision.id)) {
    revision.changelog =
        bounded(ask("changelog", with_revisions(own.changelog, *former, revision.id),
                    with_revisions(vcs->changelog, *former, revision.id)),
                kTextLimit);
  }
  return revision;
}

}  // namespace upaas::builder
