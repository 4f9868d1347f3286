/// Which bundle a command is about: one of the server's (its id, the first digits of it, APP@vN) or a
/// file, which has a `/` in its name or ends in .tar.gz and needs no server.
#pragma once

#include "bundle/bundle.h"
#include "cli/context.h"
#include "cli/server.h"
#include "wire/bundles.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::cli {

[[nodiscard]] bool names_file(std::string_view word);
/// The positional; Error(invalid) when it is missing.
[[nodiscard]] std::string bundle_word(const Context& context, const char* positional = "BUNDLE");
/// The file, from the command's directory. Error(not_found) when there is none.
[[nodiscard]] std::filesystem::path bundle_file(const Context& context, const std::string& word);
/// "/v1/bundles/BUNDLE", for a bundle of the server. Error(invalid) for a word that cannot be one.
[[nodiscard]] std::string bundle_target(const std::string& word);
[[nodiscard]] Server bundle_server(const Context& context);

/// upaas.bundle-show/v1, of either kind.
[[nodiscard]] Json bundle_json(const Context& context, const std::string& word, bool files);
/// Every entry, of either kind.
[[nodiscard]] std::vector<bundle::Entry> bundle_entries(const Context& context,
                                                        const std::string& word);

}  // namespace upaas::cli
