/// "Did you mean ...?"
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace upaas::model {

/// Edits (insert, delete, replace, swap of neighbours) that turn one text into the other. Texts
/// beyond 64 bytes are compared by their beginnings.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b);

/// The candidate with the fewest edits, the first of equals; nothing when even that one needs more
/// edits than a third of the word (at least two).
[[nodiscard]] std::optional<std::string_view> nearest(
    std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace upaas::model
