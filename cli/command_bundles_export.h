/// `upaas bundles export`: its help. What it does is in command_bundles_export.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBundlesExportPositionals = {
    Positional{"BUNDLE", "which (see upaas bundles); with --unpack also a file: dist/blog.tar.gz"},
};
inline constexpr std::array kBundlesExportOptions = {
    Option{"-o,--out", "FILE", "where to write it (default: APP-ID.tar.gz, 12 digits of the id)"},
    Option{"--unpack", "DIR", "unpack it there instead; DIR must not exist"},
};
inline constexpr Command kBundlesExport{
    .name = "bundles export",
    .summary = "fetch a bundle from the server, or what is in it",
    .text =
        R"(What comes is compared with the bundle's id; nothing is left of what is cut short or changed on its way.)",
    .positionals = kBundlesExportPositionals,
    .options = kBundlesExportOptions,
};
int run_bundles_export(Context& context);

}  // namespace upaas::cli
