#include "db/changes/commit_changes.h"

#include <gtest/gtest.h>
