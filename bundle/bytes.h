/// Bytes in memory that is used again and again. What a std::string does on the way to a larger
/// size, fill it with zeros, costs as much as reading the file that is to come there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace upaas::bundle {

class Bytes {
 public:
  Bytes() = default;
  Bytes(Bytes&& other) noexcept
      : memory_(std::move(other.memory_)),
        room_(std::exchange(other.room_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes&&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::string_view view() const { return {memory_.get(), size_}; }

  /// Keeps the memory.
  void clear() { size_ = 0; }
  void cut(std::size_t size) { size_ = std::min(size_, size); }
  /// Makes it so much larger; where that begins. Its content is whatever was there.
  [[nodiscard]] char* grow(std::size_t more) {
    if (room_ - size_ < more) {
      const std::size_t room = std::max(size_ + more, 2 * room_);
      auto larger = std::make_unique_for_overwrite<char[]>(room);
      if (size_ > 0) std::memcpy(larger.get(), memory_.get(), size_);
      memory_ = std::move(larger);
      room_ = room;
    }
    return memory_.get() + std::exchange(size_, size_ + more);
  }
  void append(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
  }
  void append_zeros(std::size_t count) {
    if (count > 0) std::memset(grow(count), 0, count);
  }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t room_ = 0;
  std::size_t size_ = 0;
};

}  // namespace upaas::bundle
