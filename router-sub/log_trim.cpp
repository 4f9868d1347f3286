#include "router-sub/log_trim.h"

#include <algorithm>
#include <fstream>

namespace upaas::router_sub {
namespace {

namespace fs = std::filesystem;

constexpr std::streamoff kEnd = 65536;

fs::path older(const fs::path& file) {
  return fs::path(file) += ".1";
}

bool longer(const fs::path& file, std::size_t limit) {
  std::error_code none;
  const auto size = fs::file_size(file, none);
  return !none && size > limit;
}

}  // namespace

bool rotate(const fs::path& file, std::size_t limit) {
  if (!longer(file, limit)) {
    return false;
  }
  fs::rename(file, older(file));
  return true;
}

void cut(const fs::path& file, std::size_t limit) {
  if (longer(file, limit)) {
    fs::copy_file(file, older(file), fs::copy_options::overwrite_existing);
    fs::resize_file(file, 0);
  }
}

std::vector<std::string> last_lines(const fs::path& file, std::size_t count) {
  std::vector<std::string> lines;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) {
    return lines;
  }
  in.seekg(std::max<std::streamoff>(0, std::streamoff{in.tellg()} - kEnd));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  lines.erase(lines.begin(),
              lines.end() - static_cast<std::ptrdiff_t>(std::min(lines.size(), count)));
  return lines;
}

}  // namespace upaas::router_sub
