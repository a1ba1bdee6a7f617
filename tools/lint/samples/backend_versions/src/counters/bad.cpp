#if PG_VERSION_NUM >= 160000
void* bad(MemoryContext context) { return context->methods->alloc(context, 8); }
#endif
