#include "db/changes/segment_trail.h"

#include <gtest/gtest.h>
