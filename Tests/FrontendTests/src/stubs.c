#include "tests.h"
const struct test store_tests[]={{0,0}}, small_tests[]={{0,0}};
