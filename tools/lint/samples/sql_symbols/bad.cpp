extern "C" {
void pg_finfo_chatopt_there() {}
void chatopt_there() {}
}
