#include "db/changes/commit_reader.h"

#include <gtest/gtest.h>
