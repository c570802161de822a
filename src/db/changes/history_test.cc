#include "db/changes/history.h"

#include <gtest/gtest.h>
