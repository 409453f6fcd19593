/*
 * Division of 64 by 64 bits, which compilers for 32 bits call on their own. On 64 bits it is one
 * instruction, and this file is empty.
 */
#ifdef __i386__
#include <stdint.h>

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);
int64_t __divdi3(int64_t dividend, int64_t divisor);
int64_t __moddi3(int64_t dividend, int64_t divisor);

/* A divisor of 0 faults as the instruction would. */
static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder)
{
    uint64_t quotient = 0, rest = 0;
    if (divisor >> 32 == 0) {
        /* Two steps of the instruction: what is left of the upper half is less than the divisor. */
        uint32_t by = (uint32_t)divisor, high = (uint32_t)(dividend >> 32), low, left;
        uint32_t upper = high / by;
        __asm__("divl %4"
                : "=a"(low), "=d"(left)
                : "0"((uint32_t)dividend), "1"(high % by), "r"(by)
                : "cc");
        *remainder = left;
        return (uint64_t)upper << 32 | low;
    }
    /* The quotient has 32 bits at most: so many steps of division by hand. */
    rest = dividend >> 32;
    for (int bit = 31; bit >= 0; bit--) {
        /* The divisor has more than 32 bits, so rest, which is less, may lose none on the way. */
        uint64_t carry = rest >> 63;
        rest = rest << 1 | (dividend >> bit & 1);
        if (carry || rest >= divisor) {
            rest -= divisor;
            quotient |= (uint64_t)1 << bit;
        }
    }
    *remainder = rest;
    return quotient;
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
    uint64_t remainder;
    return divide(dividend, divisor, &remainder);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor)
{
    uint64_t remainder;
    divide(dividend, divisor, &remainder);
    return remainder;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t dividend, int64_t divisor)
{
    uint64_t quotient = __udivdi3(magnitude(dividend), magnitude(divisor));
    return (int64_t)((dividend < 0) != (divisor < 0) ? -quotient : quotient);
}

int64_t __moddi3(int64_t dividend, int64_t divisor)
{
    uint64_t rest = __umoddi3(magnitude(dividend), magnitude(divisor));
    return (int64_t)(dividend < 0 ? -rest : rest);
}
#else
typedef int divide_is_an_instruction;
#endif
