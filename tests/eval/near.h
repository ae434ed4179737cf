/* near.h - numbers that were computed in two ways, in a test. */
#ifndef CORD_TEST_NEAR_H
#define CORD_TEST_NEAR_H

#include "support.h"

#include <math.h>

#define assert_near(a, b, by)                                                                  \
    do {                                                                                       \
        double a_ = (a), b_ = (b);                                                             \
        if (!(fabs(a_ - b_) <= (by))) fail_msg("%s is %.12g, not %.12g (%s)", #a, a_, b_, #b); \
    } while (0)

#endif
