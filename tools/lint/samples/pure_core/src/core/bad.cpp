#include <cstddef>

extern "C" void* palloc(std::size_t size);

void* bad() { return palloc(8); }
