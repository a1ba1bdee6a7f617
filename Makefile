# chatopt: built with PGXS. PG_CONFIG chooses the PostgreSQL.
EXTENSION = chatopt
CHATOPT_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" chatopt.control)
MODULE_big = chatopt
# The folders that know PostgreSQL.
GLUE = pg counters reads receipts partitions
SOURCES = $(wildcard src/core/*/*.cpp $(GLUE:%=src/%/*.cpp))
OBJS = $(SOURCES:.cpp=.o)
SQL_PARTS = $(sort $(wildcard sql/install/*.sql))
INSTALL_SQL = chatopt--$(CHATOPT_VERSION).sql
DATA_built = $(INSTALL_SQL)
DATA := $(wildcard sql/updates/chatopt--*--*.sql)
DOCS := $(wildcard docs/*.md)
EXTRA_CLEAN = $(INSTALL_SQL) src/*/*.bc src/*/*/*.bc build

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=plpgsql

# One flags block. The core is compiled without PostgreSQL's headers in reach.
WARNINGS = -Wall -Wextra -Wshadow -Wold-style-cast
CORE_FLAGS = -std=c++20 $(WARNINGS) -Wconversion -Werror
GLUE_FLAGS = -std=c++20 $(WARNINGS) -Wno-register -Wno-old-style-cast
SHARED_FLAGS = -fvisibility=hidden -fvisibility-inlines-hidden -DBOOST_CONTAINER_USE_STD_EXCEPTIONS -Isrc
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
ifneq ($(MAJORVERSION),15)
REGRESS_OPTS += --expecteddir=.
endif

override CPPFLAGS := -isystem $(shell $(PG_CONFIG) --includedir-server) $(CPPFLAGS)
override COMPILER = $(CXX) $(CXXFLAGS)
src/core/%.o: CPPFLAGS =
src/core/%.o: override CXXFLAGS := $(CORE_FLAGS) $(SHARED_FLAGS) -O2 -g -fPIC
$(filter-out src/core/%,$(OBJS)): override CXXFLAGS += $(GLUE_FLAGS) $(SHARED_FLAGS)
# PostgreSQL 15 leaves PGDLLEXPORT empty, and hidden would then hide everything.
$(filter-out src/core/%,$(OBJS)): override CXXFLAGS += '-DPGDLLEXPORT=__attribute__((visibility("default")))'
# A constructor that is an alias of another stops the server when a query is compiled: its inliner takes every callee for a function.
COMPILE.cxx.bc += -Xclang -mno-constructor-aliases -std=c++20 -Wno-register $(SHARED_FLAGS) '-DPGDLLEXPORT=__attribute__((visibility("default")))'
%.bc: %.cpp
	$(COMPILE.cxx.bc) -o $@ $<
	$(LLVM_BINPATH)/opt -module-summary -f $@ -o $@

HEADERS_ALL = $(wildcard src/*/*.hpp src/*/*/*.hpp)
$(OBJS) $(OBJS:.o=.bc): $(HEADERS_ALL)

$(INSTALL_SQL): $(SQL_PARTS) chatopt.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION chatopt" to load this file. \quit'; cat $(SQL_PARTS); } > $@

# Test lanes. Those that need a server run under tools/with_server.sh.
.PHONY: unit fuzz lint check-pgtap check-regress check-isolation check-tap check-drivers check-model soak bench bench-core
unit:
	cmake -S test/unit -B build/unit && cmake --build build/unit -j2 && ctest --test-dir build/unit --output-on-failure
# The fuzz targets, FUZZ_RUNS runs each beyond their kept corpora; needs clang.
FUZZ_RUNS ?= 20000
FUZZ_FLAGS = -std=c++20 -O1 -g -Isrc -DBOOST_CONTAINER_USE_STD_EXCEPTIONS -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZED = bitmap receipts reads partitions
FUZZ_CORE = $(patsubst src/core/%.cpp,build/fuzz/core/%.o,$(wildcard $(FUZZED:%=src/core/%/*.cpp)))
fuzz: $(patsubst test/fuzz/%.cpp,build/fuzz/%,$(wildcard test/fuzz/*.cpp))
	sh test/fuzz/run $(FUZZ_RUNS)
build/fuzz/%: test/fuzz/%.cpp test/fuzz/common.hpp $(FUZZ_CORE)
	clang++ $(FUZZ_FLAGS) -o $@ $< $(FUZZ_CORE)
build/fuzz/core/%.o: src/core/%.cpp $(wildcard src/core/*/*.hpp)
	mkdir -p $(@D) && clang++ $(FUZZ_FLAGS) -c -o $@ $<
.PRECIOUS: build/fuzz/core/%.o
lint:
	prove test/lint
check-pgtap:
	pg_prove --ext .sql -r test/pgtap
check-regress:
	$(MAKE) installcheck
check-isolation:
	sh test/isolation/run
check-tap:
	sh test/tap/run
check-drivers:
	prove test/drivers
check-model:
	prove test/model/slice.t
soak:
	sh tools/with_server.sh prove -v test/model/soak.t
bench:
	CHATOPT_FSYNC=on CHATOPT_TIMEOUT=7200 CHATOPT_SERVER_OPTIONS='-c wal_level=replica -c shared_buffers=1GB -c max_wal_size=4GB' \
		sh tools/with_server.sh sh -c 'sh bench/run && sh bench/receipts'
bench-core:
	mkdir -p build/bench
	$(CXX) -std=c++20 -O2 -fPIC -Isrc -o build/bench/bitmap bench/core/bitmap.cpp src/core/bitmap/*.cpp -lbenchmark -lpthread
	build/bench/bitmap
