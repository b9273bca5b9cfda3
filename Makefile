# The two commands: `make demo` and `make test`. Both do all their own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# What the programs need beside Python: OpenCV's two libraries.
APT_RUN := python3-venv libgl1 libglib2.0-0
# What the tests drive for real: a broker, an RTSP server, a browser with Chinese fonts, ffmpeg as a peer; systemd
# checks its units, libfaketime steps the wall clock of a process.
APT_TEST := mosquitto mosquitto-clients nats-server ffmpeg chromium fonts-noto-cjk python3-gi gir1.2-gst-rtsp-server-1.0 \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly \
	gstreamer1.0-libav systemd libfaketime

.PHONY: demo test lint unit soak lock clean

demo: $(VENV)/run.installed
	$(BIN)/python -m fourmusts demo $(DEMO)

test: lint unit

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/test.installed
	$(BIN)/python -m pytest $(PYTEST)

# The slow and destructive suites in full; `make test` runs their short form with fixed seeds.
soak: $(VENV)/test.installed
	FOURMUSTS_SOAK=1 $(BIN)/python -m pytest --timeout=0 $(PYTEST)

# Exact versions with hashes, made from the lower bounds in pyproject.toml.
lock:
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --extra build --extra test pyproject.toml -c requirements.lock -o requirements-test.lock

$(VENV)/run.installed: requirements.lock pyproject.toml
	@$(call apt_install,$(APT_RUN))
	$(PYTHON) -m venv $(VENV)
	@echo "Installing the Python packages (a minute or two) ..."
	$(PIP) install -q --require-hashes -r requirements.lock
	$(PIP) install -q --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/test.installed: $(VENV)/run.installed requirements-test.lock
	@$(call apt_install,$(APT_TEST))
	$(PIP) install -q --require-hashes -r requirements-test.lock
	@touch $@

clean:
	rm -rf $(VENV) demo-data artefacts build *.egg-info

# Installs what is missing of the named Debian packages, as root or through sudo; without either it says what to run.
define apt_install
missing=""; \
for package in $(1); do \
	dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
	echo "Installing Debian packages:$$missing"; \
	if [ "$$(id -u)" = 0 ]; then run=""; elif command -v sudo >/dev/null; then run="sudo"; \
	else echo "Debian packages are missing; as root, run: apt-get install$$missing"; exit 1; fi; \
	$$run apt-get update -qq && \
	$$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef
