#include <string>

extern "C" {
void Pg_magic_func() {}
void chatopt_good() {}
void helper() {}
}
std::string merged(std::string text) { return text + text; }
