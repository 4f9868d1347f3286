#include "host/mounts.h"

#include "base/error.h"
#include "base/files.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace upaas::host {
namespace {

namespace fs = std::filesystem;

// MS_NOSYMFOLLOW (linux/mount.h); glibc 2.36 does not have it.
constexpr unsigned long kNoSymFollow = 256;

Error mount_error(const fs::path& path) {
  return system_error("mount " + path.native());
}

bool is_below(const fs::path& path, const fs::path& parent) {
  const auto [end, unused] = std::mismatch(parent.begin(), parent.end(), path.begin(), path.end());
  return end == parent.end();
}

bool has_source(const Mount& mount) {
  return mount.kind != Mount::Kind::tmpfs && mount.kind != Mount::Kind::scratch &&
         mount.kind != Mount::Kind::proc;
}

// O_PATH: no permission on the source is needed and no device is opened.
std::vector<UniqueFd> open_sources(const std::vector<Mount>& mounts) {
  std::vector<UniqueFd> sources;
  for (const Mount& mount : mounts) {
    UniqueFd fd;
    if (has_source(mount)) {
      fd.reset(::open(mount.source.c_str(), O_PATH | O_CLOEXEC));
      if (!fd.valid()) {
        throw mount_error(mount.source);
      }
    }
    sources.push_back(std::move(fd));
  }
  return sources;
}

void make_target(const fs::path& target, bool directory) {
  std::error_code failed;
  fs::create_directories(directory ? target : target.parent_path(), failed);
  if (failed) {
    throw system_error("mount " + target.native(), failed.value());
  }
  if (!directory && ::mknod(target.c_str(), S_IFREG | 0644, 0) != 0 && errno != EEXIST) {
    throw mount_error(target);
  }
}

void mount_tmpfs(const fs::path& target, const char* options) {
  if (::mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
    throw mount_error(target);
  }
}

// Before Linux 5.8 the option was that of the whole pid namespace, the machine's.
bool hides_processes_by_mount() {
  utsname name{};
  int major = 0;
  int minor = 0;
  return ::uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         std::pair(major, minor) >= std::pair(5, 8);
}

void mount_proc(const fs::path& target) {
  if (hides_processes_by_mount() &&
      ::mount("proc", target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2") != 0 &&
      errno != EPERM) {
    throw mount_error(target);
  }
}

void mount_bind(const Mount& mount, int source) {
  const std::string from = fmt::format("/proc/self/fd/{}", source);
  if (::mount(from.c_str(), mount.target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw mount_error(mount.target);
  }
  // A remount sets all flags anew: what the machine's owner forbade there stays forbidden.
  struct statvfs now {};
  if (::statvfs(mount.target.c_str(), &now) != 0) {
    throw mount_error(mount.target);
  }
  unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV;
  if (mount.kind == Mount::Kind::bind_read_only || (now.f_flag & ST_RDONLY) != 0) {
    flags |= MS_RDONLY;
  }
  if ((now.f_flag & ST_NOEXEC) != 0) {
    flags |= MS_NOEXEC;
  }
  if (mount.kind == Mount::Kind::bind_without_links) {
    flags |= kNoSymFollow;
  }
  if (::mount(nullptr, mount.target.c_str(), nullptr, flags, nullptr) != 0) {
    throw mount_error(mount.target);
  }
}

void mount_one(const Mount& mount, int source) {
  switch (mount.kind) {
    case Mount::Kind::tmpfs:
      return mount_tmpfs(mount.target, "size=1m,mode=0755");
    case Mount::Kind::scratch:
      return mount_tmpfs(mount.target, "size=25%,mode=1777");
    case Mount::Kind::proc:
      return mount_proc(mount.target);
    default:
      return mount_bind(mount, source);
  }
}

}  // namespace

void enter_mount_namespace(const std::vector<Mount>& mounts) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWIPC) != 0) {
    throw system_error("mount and ipc namespace");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw mount_error("/");
  }
  ::umask(022);  // users must get through the directories made here
  // Only now: a bind from a descriptor of another mount namespace is refused (EINVAL).
  const std::vector<UniqueFd> sources = open_sources(mounts);
  std::vector<fs::path> ours;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const Mount& mount = mounts[i];
    const bool bind = has_source(mount);
    struct stat source {};
    if (bind && ::fstat(sources[i].get(), &source) != 0) {
      throw mount_error(mount.source);
    }
    const auto covers = [&](const fs::path& place) { return is_below(mount.target, place); };
    if (std::any_of(ours.begin(), ours.end(), covers)) {
      make_target(mount.target, !bind || S_ISDIR(source.st_mode));
    }
    mount_one(mount, sources[i].get());
    if (mount.kind == Mount::Kind::tmpfs) {
      ours.push_back(mount.target);
    }
  }
}

}  // namespace upaas::host
