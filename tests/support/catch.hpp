// SPDX-License-Identifier: GPL-3.0-or-later
// Catch2 is version 2 on Debian 12 and version 3 on Debian 13; the macros used here are the same in both.
#pragma once
#ifdef MAILSTEAD_CATCH2_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
