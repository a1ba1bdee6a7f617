void f() {}
#ifdef __clang__
void only_in_bitcode() {}
#endif
