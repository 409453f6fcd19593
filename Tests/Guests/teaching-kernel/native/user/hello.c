/* Says hello, and what it was told; its status is the number of its arguments. */
#include "user.h"

int main(int count, char **arguments)
{
    print("hello from %s\n", arguments[0]);
    for (int i = 1; i < count; i++)
        print("  argument %d: %s\n", i, arguments[i]);
    return count - 1;
}
