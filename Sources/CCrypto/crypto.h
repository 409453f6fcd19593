/* libcrypto's SHA-256, with which a report names the image that it read. Only KernelImage imports it. */
#include <openssl/evp.h>
