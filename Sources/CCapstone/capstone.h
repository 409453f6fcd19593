/* The one door to Capstone. Only Disassembly imports it. */
#include <capstone/capstone.h>
