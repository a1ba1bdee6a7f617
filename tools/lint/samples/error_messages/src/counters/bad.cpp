void bad(const char* name) {
  ereport(ERROR, (errmsg("Table \"%s\" is bad.", name), errhint("try another")));
}
