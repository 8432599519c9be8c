/* The smallest program that runs in a sandbox: says that it runs, and waits to be ended. */
#include <unistd.h>

int main(void)
{
    if (write(1, "r", 1) != 1)
        return 1;
    for (;;)
        pause();
}
