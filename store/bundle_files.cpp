#include "store/bundle_files.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace upaas::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigestLength = 64;
constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::string_view kSuffix = ".tar.gz";
constexpr std::string_view kSigned = ".sig";
constexpr const char* kIncoming = "incoming";

bool is_digest(std::string_view text) {
  return text.size() == kDigestLength &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The two digits in between keep directories small.
fs::path place(const fs::path& directory, std::string_view digest) {
  if (!is_digest(digest)) {
    throw Error(ErrorKind::invalid, "\"" + std::string(digest.substr(0, 2 * kDigestLength)) +
                                        "\" is no digest: it has 64 lower-case hex digits");
  }
  return directory / std::string(digest.substr(0, 2)) /
         (std::string(digest) + std::string(kSuffix));
}

fs::path signature_of(const fs::path& file) {
  return file.native() + std::string(kSigned);
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw system_error("cannot rename " + from.string() + " to " + to.string());
}

// An upload holds a lock on its file as long as it lives, so what can be locked was left by a kill.
void remove_leftovers(const fs::path& incoming) {
  for (const auto& entry : fs::directory_iterator(incoming)) {
    const UniqueFd fd(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

// Made, then locked: in between remove_leftovers() may have taken it, so look again.
UniqueFd make_locked(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) throw system_error("cannot make " + path.string());
  struct stat status {};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(fd.get(), &status) != 0 ||
      status.st_nlink == 0) {
    return UniqueFd();
  }
  return fd;
}

}  // namespace

struct BundleFiles::Incoming::State {
  fs::path directory;
  fs::path temporary;
  UniqueFd fd;
  std::size_t limit = 0;
  std::size_t size = 0;
  Sha256 sha;
  std::string digest;  // once it is finished

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (fd.valid()) ::unlink(temporary.c_str());
  }
};

// --- Incoming ---

BundleFiles::Incoming::Incoming(std::unique_ptr<State> state) : state_(std::move(state)) {}
BundleFiles::Incoming::Incoming(Incoming&&) noexcept = default;
BundleFiles::Incoming::~Incoming() = default;

void BundleFiles::Incoming::write(std::string_view bytes) {
  if (bytes.size() > state_->limit - state_->size) {
    throw Error(ErrorKind::invalid,
                "the upload is larger than " + std::to_string(state_->limit) + " bytes");
  }
  state_->size += bytes.size();
  state_->sha.update(bytes);
  while (!bytes.empty()) {
    const ssize_t written = ::write(state_->fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("cannot write " + state_->temporary.string());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void BundleFiles::Incoming::write_file(const fs::path& file) {
  const UniqueFd from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.valid()) throw system_error("cannot open " + file.string());
  std::string piece(kPiece, '\0');
  while (true) {
    const ssize_t count = ::read(from.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("cannot read " + file.string());
    if (count == 0) return;
    write(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
  }
}

std::string BundleFiles::Incoming::finish(const std::optional<std::string>& expected) {
  if (!state_->digest.empty()) return state_->digest;
  std::string digest = state_->sha.hex();
  if (expected && *expected != digest) {
    throw Error(
        ErrorKind::invalid,
        "the upload has the digest " + digest + ", not " + expected->substr(0, kDigestLength),
        "it was changed or cut on its way: send it again");
  }
  if (::fsync(state_->fd.get()) != 0)
    throw system_error("cannot sync " + state_->temporary.string());
  state_->digest = digest;
  return digest;
}

std::string BundleFiles::Incoming::commit(const std::optional<std::string>& expected,
                                          std::string_view signature) {
  std::string digest = finish(expected);
  const fs::path target = place(state_->directory, digest);
  make_directory(target.parent_path(), 0700);
  if (!signature.empty()) {
    upaas::write_file(signature_of(target), signature, {.mode = 0600});
    fault_point("bundle.signed");
  }
  rename_file(state_->temporary, target);
  state_->fd.reset();
  sync_directory(target.parent_path());
  sync_directory(state_->directory);
  return digest;
}

// --- BundleFiles ---

BundleFiles::BundleFiles(fs::path directory, Options options)
    : directory_(std::move(directory)), options_(options) {
  make_directory(directory_, 0700);
  make_directory(directory_ / kIncoming, 0700);
  remove_leftovers(directory_ / kIncoming);
}

BundleFiles::Incoming BundleFiles::receive() {
  auto state = std::make_unique<Incoming::State>();
  state->directory = directory_;
  state->limit = options_.size_limit;
  UniqueFd fd;
  while (!fd.valid()) {
    state->temporary = directory_ / kIncoming / random_name(20);
    fd = make_locked(state->temporary);
  }
  state->fd = std::move(fd);
  return Incoming(std::move(state));
}

std::string BundleFiles::add(const fs::path& file) {
  Incoming incoming = receive();
  incoming.write_file(file);
  return incoming.commit();
}

bool BundleFiles::has(std::string_view digest) const {
  std::error_code ignored;
  return is_digest(digest) && fs::is_regular_file(place(directory_, digest), ignored);
}

fs::path BundleFiles::verified(std::string_view digest) {
  fs::path path = this->path(digest);
  if (!has(digest)) {
    throw Error(ErrorKind::not_found, "there is no bundle " + std::string(digest));
  }
  if (sha256_file(path) == digest) return path;
  const fs::path aside = path.parent_path() / (std::string(digest) + ".damaged");
  rename_file(path, aside);
  if (fs::exists(signature_of(path))) rename_file(signature_of(path), signature_of(aside));
  throw Error(ErrorKind::invalid, "the bundle " + std::string(digest) + " is damaged",
              "it was set aside as " + aside.string() + ": build or upload it again");
}

void BundleFiles::remove(std::string_view digest) {
  const fs::path path = place(directory_, digest);
  remove_file(path);
  remove_file(signature_of(path));
}

fs::path BundleFiles::path(std::string_view digest) const {
  return place(directory_, digest);
}

std::optional<std::string> BundleFiles::signature(std::string_view digest, std::size_t most) const {
  return read_file_if_any(signature_of(path(digest)), most);
}

void BundleFiles::put_signature(std::string_view digest, std::string_view text) {
  upaas::write_file(signature_of(path(digest)), text, {.mode = 0600});
}

void BundleFiles::remove_stray_signatures() {
  for (const auto& folder : fs::directory_iterator(directory_)) {
    if (!folder.is_directory() || folder.path().filename() == kIncoming) continue;
    std::vector<fs::path> strays;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      if (entry.path().extension() == kSigned &&
          !fs::exists(entry.path().parent_path() / entry.path().stem()))
        strays.push_back(entry.path());
    }
    for (const fs::path& stray : strays) remove_file(stray);
  }
}

std::optional<BundleFiles::Info> BundleFiles::info(std::string_view digest) const {
  struct stat status {};
  if (!is_digest(digest) || ::stat(place(directory_, digest).c_str(), &status) != 0) return {};
  return Info{static_cast<std::uint64_t>(status.st_blocks) * 512,
              WallTime(std::chrono::seconds(status.st_mtim.tv_sec))};
}

std::vector<std::string> BundleFiles::list() const {
  std::vector<std::string> digests;
  for (const auto& folder : fs::directory_iterator(directory_)) {
    if (!folder.is_directory() || folder.path().filename() == kIncoming) continue;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(kSuffix)) continue;
      const std::string digest = name.substr(0, name.size() - kSuffix.size());
      if (is_digest(digest)) digests.push_back(digest);
    }
  }
  std::ranges::sort(digests);
  return digests;
}

}  // namespace upaas::store
