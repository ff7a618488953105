#!/usr/bin/env bash
# Applies every overlay to a real Kubernetes control plane on this machine: kube-apiserver, controller-manager, scheduler and etcd built from source,
# and nodes simulated by kwok (pods are scheduled and become ready, no container runs). Run by hand, not in CI: the first run compiles for about ten
# minutes. Needs go 1.24, kustomize and openssl; for the CRDs of Strimzi also a JDK 21 (JAVA_HOME) with Maven: without them its example is left out. The
# overlay dev is applied before any CRD is there.
#
#   k8s/try.sh [overlay …]        default: all
#
# For each overlay: apply twice (the second changes nothing), wait until `migrate` is complete and all Deployments are rolled out, start the operator
# jobs, then upgrade: another image and another setting, applied and rolled out again. Ends with 1 at the first surprise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KUBERNETES=1.34.4 ETCD=v3.6.5 KWOK=v0.7.0
CRD_MODULES=(sigs.k8s.io/gateway-api@v1.4.0 github.com/kedacore/keda/v2@v2.18.0 github.com/cloudnative-pg/cloudnative-pg@v1.27.0
  github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0 github.com/prometheus-operator/prometheus-operator@v0.85.0)
CRD_FOLDERS=(config/crd/standard config/crd/bases config/crd/bases config/crd/bases example/prometheus-operator-crd)
STRIMZI=1.2.0
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/ariftly-events/kubernetes-$KUBERNETES
ETCD_PORT=23790 API_PORT=26443
export GOFLAGS=-mod=mod GOTOOLCHAIN=local CGO_ENABLED=0

work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

build() {
  [ -x "$CACHE/bin/kwok" ] && return
  mkdir -p "$CACHE/bin"
  cd "$CACHE"
  local mod
  mod=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  # A module that requires k8s.io/kubernetes must name the released versions of its staging modules.
  {
    printf 'module ariftly.local/kubernetes\n\ngo 1.24.0\n\ngodebug default=go1.24\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$KUBERNETES"
    sed -n "s#^\s*\(k8s.io/[a-z-]*\) => ./staging.*#\t\1 => \1 v0.${KUBERNETES#1.}#p" "$mod"
    printf ')\n'
  } >go.mod
  # The version of the sources, which a build outside of their repository does not know.
  local version=k8s.io/component-base/version minor
  minor=$(cut -d. -f2 <<<"$KUBERNETES")
  for command in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    say "compiling $command"
    go build -ldflags "-X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 -X $version.gitMinor=$minor" -o bin/ "k8s.io/kubernetes/cmd/$command"
  done
  # Debian 12 has etcd 3.4, which is too old for this version.
  mkdir -p etcd && printf 'module ariftly.local/etcd\n\ngo 1.24.0\n\nrequire go.etcd.io/etcd/server/v3 %s\n' "$ETCD" >etcd/go.mod
  say 'compiling etcd'
  (cd etcd && go build -o ../bin/etcd go.etcd.io/etcd/server/v3)
  GOBIN=$CACHE/bin go install "sigs.k8s.io/kwok/cmd/kwok@$KWOK"
  cd - >/dev/null
}

has_jdk_21() {
  command -v mvn >/dev/null && "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -Eq 'version "(2[1-9]|[3-9][0-9])'
}

# The CRDs of Strimzi are generated from its Java classes; the other projects publish theirs.
collect_crds() {
  mkdir -p "$CACHE/crds"
  local at dir
  for at in "${!CRD_MODULES[@]}"; do
    dir=$(go mod download -json "${CRD_MODULES[$at]}" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    cp -n "$dir/${CRD_FOLDERS[$at]}"/*.yaml "$CACHE/crds/"
  done
  rm -f "$CACHE"/crds/kustomization.yaml
  [ -f "$CACHE/crds/strimzi-Kafka.yaml" ] && return
  has_jdk_21 || return 0
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>crds</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>$STRIMZI</version></dependency>
<dependency><groupId>io.strimzi</groupId><artifactId>crd-generator</artifactId><version>$STRIMZI</version></dependency>
</dependencies></project>
POM
  mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/lib"
  local class
  for class in kafka.Kafka nodepool.KafkaNodePool user.KafkaUser; do
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$work/lib/*" io.strimzi.crdgenerator.CrdGenerator --yaml \
      "io.strimzi.api.kafka.model.$class=$CACHE/crds/strimzi-${class#*.}.yaml"
  done
}

start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
}

start_control_plane() {
  openssl genrsa -out "$work/sa.key" 2048 2>/dev/null
  openssl rsa -in "$work/sa.key" -pubout -out "$work/sa.pub" 2>/dev/null
  echo 'try-token,admin,admin,system:masters' >"$work/tokens.csv"
  start etcd "$CACHE/bin/etcd" --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls http://127.0.0.1:0 --initial-advertise-peer-urls http://127.0.0.1:0 --initial-cluster default=http://127.0.0.1:0
  start apiserver "$CACHE/bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$ETCD_PORT" --secure-port $API_PORT --bind-address 127.0.0.1 \
    --cert-dir "$work/certs" --token-auth-file "$work/tokens.csv" --authorization-mode RBAC --service-cluster-ip-range 10.96.0.0/16 \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$work/sa.pub" --service-account-signing-key-file "$work/sa.key"
  export KUBECONFIG=$work/kubeconfig
  local config
  for config in "set-cluster try --server=https://127.0.0.1:$API_PORT --insecure-skip-tls-verify=true" "set-credentials admin --token=try-token" \
    "set-context try --cluster=try --user=admin" "use-context try"; do
    # shellcheck disable=SC2086
    "$CACHE/bin/kubectl" config $config >/dev/null
  done
  local n
  for n in $(seq 120); do
    kubectl get --raw /readyz >/dev/null 2>&1 && break
    [ "$n" -lt 120 ] || { tail -20 "$work/apiserver.log"; fail 'kube-apiserver is not ready'; }
    sleep 1
  done
  start controllers "$CACHE/bin/kube-controller-manager" --kubeconfig "$KUBECONFIG" --service-account-private-key-file "$work/sa.key" --leader-elect=false \
    --node-monitor-grace-period 20m
  start scheduler "$CACHE/bin/kube-scheduler" --kubeconfig "$KUBECONFIG" --leader-elect=false
  start kwok "$CACHE/bin/kwok" --kubeconfig "$KUBECONFIG" --manage-all-nodes=true
}

kubectl() { "$CACHE/bin/kubectl" "$@"; }

create_nodes() {
  local zone
  for zone in a b c; do
    kubectl apply -f - <<NODE
apiVersion: v1
kind: Node
metadata:
  name: node-$zone
  annotations: { kwok.x-k8s.io/node: fake, node.alpha.kubernetes.io/ttl: '0' }
  labels: { topology.kubernetes.io/zone: zone-$zone, kubernetes.io/hostname: node-$zone }
status:
  allocatable: { cpu: '32', memory: 256Gi, pods: '110' }
  capacity: { cpu: '32', memory: 256Gi, pods: '110' }
NODE
  done
}

# The volume that a storage class would provide.
create_volume() {
  kubectl apply -f - <<VOLUME
apiVersion: v1
kind: PersistentVolume
metadata: { name: redis }
spec:
  capacity: { storage: 2Gi }
  accessModes: [ReadWriteOnce]
  hostPath: { path: /tmp/redis }
VOLUME
}

# Every Deployment is rolled out, and no pod was refused by Pod Security.
await_rollout() {
  local namespace=$1
  kubectl -n "$namespace" wait --for=condition=complete --timeout=180s job/migrate
  kubectl -n "$namespace" rollout status deployment --timeout=240s
  kubectl -n "$namespace" get events -o json | grep -q 'violates PodSecurity' && fail 'Pod Security refused a pod'
  return 0
}

# The autoscalers have set their smallest number of replicas: until then they change Deployments.
await_scalers() {
  local name least n
  kubectl -n "$1" get hpa -o jsonpath='{range .items[*]}{.metadata.name} {.spec.minReplicas}{"\n"}{end}' | while read -r name least; do
    for n in $(seq 120); do
      [ "$(kubectl -n "$1" get deployment "$name" -o jsonpath='{.spec.replicas}')" -ge "$least" ] && break
      [ "$n" -lt 120 ] || fail "$name has fewer than $least replicas"
      sleep 1
    done
  done
}

# Kind, name and generation (which rises with each change of the specification) of every object of an overlay.
generations() {
  kustomize build "$1" | kubectl get -f - -o jsonpath='{range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\n"}{end}'
}

try_overlay() {
  local overlay=$1 namespace first second copy job
  copy=$work/tree
  rm -rf "$copy" && mkdir -p "$copy" && cp -r k8s deploy "$copy/"
  namespace=$(sed -n 's/^namespace: //p' "k8s/overlays/$overlay/kustomization.yaml")
  say "$overlay: namespace, secrets and the overlay, first time"
  kubectl apply -f "k8s/overlays/$overlay/namespace.yaml"
  [ "$overlay" = dev ] || kubectl apply -f k8s/examples/secrets.yaml
  kustomize build "$copy/k8s/overlays/$overlay" | kubectl apply -f -
  await_rollout "$namespace"
  [ "$overlay" != dev ] || kubectl -n "$namespace" rollout status statefulset --timeout=120s
  await_scalers "$namespace"
  say "$overlay: second time"
  # "configured" of client-side apply also means a patch that changes nothing, so the generations are compared.
  first=$(generations "$copy/k8s/overlays/$overlay")
  kustomize build "$copy/k8s/overlays/$overlay" | kubectl apply -f - >/dev/null
  second=$(generations "$copy/k8s/overlays/$overlay")
  diff <(printf '%s' "$first") <(printf '%s' "$second") || fail 'the second apply changed something'
  printf '%s objects, none changed\n' "$(wc -l <<<"$second")"
  say "$overlay: operator jobs"
  for job in migrate-check projection; do
    kubectl -n "$namespace" create job "$job-now" --from="cronjob/$job"
    kubectl -n "$namespace" wait --for=condition=complete --timeout=120s "job/$job-now"
  done
  say "$overlay: upgrade"
  local before after
  before=$(kubectl -n "$namespace" get deployment ingest -o jsonpath='{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].envFrom[0].configMapRef.name}')
  (cd "$copy/k8s/overlays/$overlay" && kustomize edit set image ariftly/events=registry.example/ariftly/events:next)
  sed -i 's/LOG_LEVEL=info/LOG_LEVEL=warn/' "$copy/k8s/base/kustomization.yaml"
  sed -i 's/LOG_LEVEL=debug/LOG_LEVEL=warn/' "$copy/k8s/overlays/$overlay/kustomization.yaml"
  kubectl -n "$namespace" delete job migrate
  kustomize build "$copy/k8s/overlays/$overlay" | kubectl apply -f -
  await_rollout "$namespace"
  after=$(kubectl -n "$namespace" get deployment ingest -o jsonpath='{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].envFrom[0].configMapRef.name}')
  printf 'ingest before: %s\ningest after:  %s\n' "$before" "$after"
  [ "${before% *}" != "${after% *}" ] && [ "${before#* }" != "${after#* }" ] || fail 'image or settings did not change'
  kubectl -n "$namespace" get deployments,jobs
  kubectl delete -f "k8s/overlays/$overlay/namespace.yaml" --wait=true --timeout=180s
}

for tool in go kustomize openssl; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done
overlays=("$@")
[ "${#overlays[@]}" -gt 0 ] || overlays=(dev production production-aws)
build
say 'control plane'
start_control_plane
kubectl version
create_nodes
for overlay in "${overlays[@]}"; do
  if [ "$overlay" = dev ]; then try_overlay dev; fi
done
if [ "${overlays[*]}" != dev ]; then
  say 'resources of the operators'
  collect_crds
  create_volume
  kubectl apply --server-side -f "$CACHE/crds" | grep -c 'serverside-applied' | sed 's/$/ CRDs/'
  for crd in scaledobjects.keda.sh clusters.postgresql.cnpg.io podmonitors.monitoring.coreos.com httproutes.gateway.networking.k8s.io; do
    # A CRD has no status at all for a moment.
    until kubectl wait --for=condition=established --timeout=60s "crd/$crd" 2>/dev/null; do sleep 1; done
  done
  say 'examples of backends'
  kubectl create namespace kafka
  kubectl apply -f k8s/overlays/production/namespace.yaml
  examples=(gateway postgres-cloudnativepg redis)
  if [ -f "$CACHE/crds/strimzi-Kafka.yaml" ]; then examples+=(kafka-strimzi); else say 'Strimzi: left out, as there is no JDK 21 with Maven'; fi
  for example in "${examples[@]}"; do kubectl apply -f "k8s/examples/$example.yaml"; done
  kubectl -n ariftly rollout status statefulset/redis --timeout=120s
fi
for overlay in "${overlays[@]}"; do
  if [ "$overlay" != dev ]; then try_overlay "$overlay"; fi
done
say "All of ${overlays[*]} were applied, applied again, upgraded and rolled out on Kubernetes $KUBERNETES. No container ran: nodes are simulated."
