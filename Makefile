# Mayday: `make help` lists what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := all

# One tree of objects for each kind of build: release, or BUILD=build/asan SANITIZE=1.
BUILD    ?= build
CC       ?= gcc
CLANG    ?= $(or $(shell command -v clang-14),clang)
SANITIZE ?=
SERVICES := $(patsubst services/%/main.c,%,$(wildcard services/*/main.c))
TOOLS    := $(notdir $(wildcard tests/tools/*))
PKGS     := hiredis libuv libmicrohttpd libcjson libmariadb libmongoc-1.0 libsodium openssl zlib libcurl
VERSION  := $(shell cat VERSION 2>/dev/null || echo 0.1.0)

CFLAGS_ALL = -std=gnu17 -O2 -g -Wall -Wextra -Werror -Wshadow -Wconversion -fno-strict-aliasing \
	-D_GNU_SOURCE -DMAYDAY_VERSION='"$(VERSION)"' -Ilibcommon -Iproto/gen -Itests/unit $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null)) $(CFLAGS)
LDLIBS_ALL = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lwslay -lm
ifneq ($(SANITIZE),)
CFLAGS_ALL += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
LDFLAGS    += -fsanitize=address,undefined
ifneq ($(FUZZ),)
CFLAGS_ALL += -fsanitize=fuzzer-no-link
endif
else
CFLAGS_ALL += -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LDFLAGS    += -Wl,--as-needed
endif

OBJ        := $(BUILD)/obj
COMMON_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard libcommon/*.c proto/gen/*.c))
COMMON_LIB := $(OBJ)/libcommon.a
UNIT_BINS  := $(patsubst tests/unit/%.c,$(BUILD)/test/%,$(wildcard tests/unit/test_*.c))
FUZZ_BINS  := $(patsubst tests/fuzz/%.c,$(BUILD)/bin/%,$(wildcard tests/fuzz/fuzz_*.c))
LOAD_BINS  := $(patsubst tests/load/%.c,$(BUILD)/load/%,$(wildcard tests/load/*.c))
BINS       := $(addprefix $(BUILD)/bin/,$(SERVICES) $(TOOLS))

.PHONY: all
all: $(BINS) ## Build every daemon and tool into build/bin

$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CFLAGS_ALL) -I$(<D) -MMD -MP -c $< -o $@

$(COMMON_LIB): $(COMMON_OBJ)
	@rm -f $@ && ar rcs $@ $^

# A service or tool: its objects, without main.o, as a library (for its unit tests), and a binary.
define program
$(OBJ)/$(1).a: $$(patsubst %.c,$(OBJ)/%.o,$$(filter-out %/main.c,$$(wildcard $(2)/*.c)))
	@rm -f $$@ && ar rcs $$@ $$^
$(BUILD)/bin/$(notdir $(1)): $(OBJ)/$(2)/main.o $(OBJ)/$(1).a $(COMMON_LIB)
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	@$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS_ALL)
endef
$(foreach s,$(SERVICES),$(eval $(call program,$(s),services/$(s))))
$(OBJ)/services/auth-svc/migrations.o: $(wildcard services/auth-svc/migrations/*.sql) # it embeds them
$(OBJ)/services/call-lifecycle/migrations.o: $(wildcard services/call-lifecycle/migrations/*.sql)
$(addprefix $(OBJ)/services/call-lifecycle/,history_write.o history_zone.o): $(wildcard services/call-lifecycle/sql/*.sql)
$(foreach t,$(TOOLS),$(eval $(call program,$(t),tests/tools/$(t))))

# tests/unit/test_<module>.c tests libcommon; test_<service>__<module>.c one of that service's modules.
.SECONDEXPANSION:
# fuzz_<...>.c is the same for a fuzzer.
service_of = $(if $(findstring __,$(1)),$(firstword $(subst __, ,$(patsubst fuzz_%,%,$(patsubst test_%,%,$(1))))))
unit_lib = $(addprefix $(OBJ)/,$(addsuffix .a,$(call service_of,$(1))))
# What the tests share: tests/unit/*.c that are no tests themselves.
UNIT_LIB := $(OBJ)/unit.a
$(UNIT_LIB): $(patsubst %.c,$(OBJ)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
	@rm -f $@ && ar rcs $@ $^
$(BUILD)/test/%: tests/unit/%.c $$(call unit_lib,$$*) $(UNIT_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	@echo "  TEST $<"
	@$(CC) $(CFLAGS_ALL) $(addprefix -Iservices/,$(call service_of,$*)) \
		-MMD -MF $@.d $(LDFLAGS) -o $@ $< $(filter %.a,$^) $(LDLIBS_ALL) -lcmocka

$(BUILD)/load/%: tests/load/%.c $(COMMON_LIB)
	@mkdir -p $(@D)
	@echo "  LOAD $<"
	@$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(COMMON_LIB) $(LDLIBS_ALL)

$(BUILD)/bin/fuzz_%: tests/fuzz/fuzz_%.c $$(call unit_lib,fuzz_$$*) $(COMMON_LIB)
	@mkdir -p $(@D)
	@echo "  FUZZ $<"
	@$(CC) $(CFLAGS_ALL) $(addprefix -Iservices/,$(call service_of,fuzz_$*)) $(LDFLAGS) -fsanitize=fuzzer \
		-MMD -MF $@.d -o $@ $< $(filter %.a,$^) $(LDLIBS_ALL)

.PHONY: test
test: ## Prove everything: unit, fuzz, contract, integration, end to end (also with sanitizers)
	@tests/run

.PHONY: unit-bins fuzz-bins
unit-bins: $(UNIT_BINS)
fuzz-bins: $(FUZZ_BINS)

.PHONY: fuzz
TIME ?= 60
fuzz: ## Fuzz every parser of outside bytes for TIME=60 seconds each
	@$(MAKE) BUILD=build/fuzz CC=$(CLANG) SANITIZE=1 FUZZ=1 fuzz-bins
	@tests/fuzz/run $(TIME) $(patsubst $(BUILD)/bin/%,build/fuzz/bin/%,$(FUZZ_BINS))

# The other compiler's warnings, without making anything.
CLANG_CHECKED := $(patsubst %.c,build/clang/%.ok,$(wildcard libcommon/*.c proto/gen/*.c services/*/*.c tests/*/*.c tests/tools/*/*.c))
build/clang/%.ok: %.c $(wildcard libcommon/*.h proto/gen/*.h)
	@mkdir -p $(@D)
	@$(CLANG) $(CFLAGS_ALL) -I$(<D) $(addprefix -Iservices/,$(call service_of,$(notdir $*))) -fsyntax-only $< && touch $@
.PHONY: clang-check
clang-check: $(CLANG_CHECKED)

.PHONY: print-cflags
print-cflags:
	@echo '$(filter-out -DMAYDAY_VERSION=%,$(CFLAGS_ALL))'

.PHONY: lint
lint: ## Formatting, clang-tidy, cppcheck, shellcheck, sizes, generated files
	@tests/lint

.PHONY: format
format: ## Format all C with clang-format
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

.PHONY: unit
unit: $(UNIT_BINS) ## Build and run the unit tests
	@tests/unit/run $(UNIT_BINS)

.PHONY: proto
proto: ## Write proto/gen/ again from the schemas and the table of permissions
	@proto/generate.py

.PHONY: setup up down status logs demo
setup: ## Install what the local stack and the build need (Debian, root)
	@deploy/local/setup
up: ## Set up, build and start the local stack; harmless when it runs
	@deploy/local/setup && $(MAKE) --no-print-directory all && deploy/local/stack up
down: ## Stop the local stack; its data stay
	@deploy/local/stack down
status: ## The parts of the local stack: up, since when, where
	@deploy/local/stack status
logs: ## Follow the logs of the local stack
	@deploy/local/stack logs -f
demo: ## One real call through everything, from a bare machine
	@deploy/local/demo

.PHONY: bench
bench: all $(LOAD_BINS) ## Measure what the suite must reach (RUNS=5, ONLY=word)
	@tests/load/bench --runs $(or $(RUNS),5) $(ONLY)

.PHONY: install package
install: all ## Daemons, units and configuration below DESTDIR (PREFIX=/usr)
	@DESTDIR='$(DESTDIR)' PREFIX='$(or $(PREFIX),/usr)' BUILD='$(BUILD)' STRIP='$(STRIP)' deploy/install
package: ## The Debian package, beside this folder
	@dpkg-buildpackage -us -uc -b -nc

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(BUILD)

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

-include $(shell find $(OBJ) $(BUILD)/test $(BUILD)/bin -name '*.d' 2>/dev/null)
