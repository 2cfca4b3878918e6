# What the manifests are checked with: kustomize, and the API's own schemas. Both are Go modules; without a Go on the machine the tests say that
# they did not look.

KUSTOMIZE=$CACHE/kustomize
KUBERNETES_VERSION=v1.31.4
OPERATOR_VERSION=v0.78.2
SCHEMAS=$CACHE/kubernetes-$KUBERNETES_VERSION

kubernetes_tools_fetch() {
	local module file
	cd "$1"
	export GOPATH=$1/path GOCACHE=$1/objects GOFLAGS=-buildvcs=false CGO_ENABLED=0
	cp "$REPO"/deploy/kubernetes/tools/* .
	go build -trimpath -ldflags=-s -o kustomize sigs.k8s.io/kustomize/kustomize/v5
	mkdir schemas
	while read -r module file; do
		cp "$(cd "$1" && go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/$file" schemas/
	done <<-FILES
		k8s.io/kubernetes@$KUBERNETES_VERSION api/openapi-spec/swagger.json
		github.com/prometheus-operator/prometheus-operator@$OPERATOR_VERSION example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml
		github.com/prometheus-operator/prometheus-operator@$OPERATOR_VERSION example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml
	FILES
}

kubernetes_tools_build() {
	local work=$SCHEMAS.partial began=$SECONDS
	[ ! -d "$SCHEMAS" ] || return 0
	go_is_usable || { say "kubernetes: no Go here: the manifests will not be checked" && return 0; }
	need_space "$CACHE" 2000 "the schemas of Kubernetes"
	say "kubernetes: kustomize and the API's schemas into $CACHE"
	ferretdb_discard "$work"
	mkdir -p "$work"
	(export -f kubernetes_tools_fetch && export REPO KUBERNETES_VERSION OPERATOR_VERSION && timeout -k 5 300 bash -ec "kubernetes_tools_fetch '$work'") >>"$SETUP_LOG" 2>&1 ||
		{ say "kubernetes: $(setup_reason): the manifests will not be checked" && return 0; }
	chmod 644 "$work"/schemas/*
	mv "$work/kustomize" "$KUSTOMIZE"
	mv "$work/schemas" "$SCHEMAS"
	ferretdb_discard "$work"
	say "kubernetes: done in $((SECONDS - began)) s"
}
