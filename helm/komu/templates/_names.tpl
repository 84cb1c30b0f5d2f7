{{- define "komu.labels" -}}
app.kubernetes.io/part-of: komu
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{ include "komu.selector" . }}
{{- end }}

{{- define "komu.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/name: {{ .name }}
{{- end }}

{{- define "komu.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "komu.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "komu.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The environment of one service: places only, read once by servicekit.settings. */}}
{{- define "komu.env" -}}
{{- $root := .root -}}
{{- $given := $root.Values.given -}}
- {name: KOMU_SERVICE, value: {{ .name }}}
- {name: KOMU_STACK, value: {{ $root.Release.Name }}}
- {name: KOMU_DATABASE_URL, value: "postgresql+psycopg://{{ .name }}_app@{{ $given.postgres.host }}:{{ $given.postgres.port }}/{{ .name }}?sslmode=verify-full&sslcert=/etc/komu/tls/tls.crt&sslkey=/etc/komu/tls/tls.key&sslrootcert=/etc/komu/tls/ca.crt"}
- {name: KOMU_NATS_URL, value: {{ $given.nats.url | quote }}}
- {name: KOMU_TLS_CERT, value: /etc/komu/tls/tls.crt}
- {name: KOMU_TLS_KEY, value: /etc/komu/tls/tls.key}
- {name: KOMU_TLS_CA, value: /etc/komu/tls/ca.crt}
- {name: KOMU_CALLS_FILE, value: /etc/komu/calls/calls.yaml}
- {name: KOMU_GRPC_ADDRESS, value: "0.0.0.0:{{ .service.grpc | default 7000 }}"}
- {name: KOMU_HEALTH_ADDRESS, value: "0.0.0.0:{{ $root.Values.healthPort }}"}
{{- with .service.http }}
- {name: KOMU_HTTP_ADDRESS, value: "0.0.0.0:{{ . }}"}
{{- end }}
- {name: KOMU_IDENTITY_ISSUER, value: {{ $given.identity.issuer | quote }}}
- {name: KOMU_IDENTITY_JWKS_URL, value: "{{ $given.identity.internalUrl }}/protocol/openid-connect/certs"}
- {name: KOMU_IDENTITY_TOKEN_URL, value: "{{ $given.identity.internalUrl }}/protocol/openid-connect/token"}
{{- $addresses := dict }}
{{- range $name, $service := $root.Values.services }}
{{- if $service.grpc }}
{{- $_ := set $addresses $name (printf "%s-%s:%v" $root.Release.Name $name $service.grpc) }}
{{- end }}
{{- end }}
- {name: KOMU_SERVICE_ADDRESSES, value: {{ $addresses | toJson | quote }}}
{{- with $given.otlp.endpoint }}
- {name: KOMU_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- if eq .name "portal" }}
- {name: KOMU_PORTAL_URL, value: {{ $given.portalUrl | quote }}}
- {name: KOMU_OIDC_CLIENT_ID, value: portal}
- {name: KOMU_OIDC_CLIENT_SECRET, valueFrom: {secretKeyRef: {name: {{ $root.Values.secrets.portal }}, key: oidc-client-secret}}}
- {name: KOMU_SESSION_KEY, valueFrom: {secretKeyRef: {name: {{ $root.Values.secrets.portal }}, key: session-key}}}
- {name: KOMU_EXCHANGE_CLIENT_ID, value: portal-exchange}
- {name: KOMU_EXCHANGE_CLIENT_SECRET, valueFrom: {secretKeyRef: {name: {{ $root.Values.secrets.portal }}, key: exchange-client-secret}}}
{{- else if has .name (list "reports" "dataexchange" "learning") }}
- {name: KOMU_EXCHANGE_CLIENT_ID, value: {{ .name }}}
- {name: KOMU_EXCHANGE_CLIENT_SECRET, valueFrom: {secretKeyRef: {name: {{ $root.Values.secrets.exchangeClients }}, key: {{ .name }}}}}
{{- end }}
{{- if eq .name "dataexchange" }}
- {name: KOMU_ORGANISATIONS, value: {{ $root.Values.organisations | toJson | quote }}}
- {name: KOMU_DIRECTORY_FILE, value: {{ $given.directory.address | default "/etc/komu/directory/directory.json" | quote }}}
- {name: KOMU_EXCHANGE_PUBLIC_URL, value: {{ $given.exchangeUrl | quote }}}
- {name: KOMU_DIRECTORY_OPERATOR_FILE, value: /etc/komu/directory/operator.jwk}
{{- end }}
{{- if eq .name "learning" }}
- {name: KOMU_LEARNING_URL, value: {{ $given.learningUrl | quote }}}
- {name: KOMU_PORTAL_URL, value: {{ $given.portalUrl | quote }}}
- {name: KOMU_LTI_KEY, valueFrom: {secretKeyRef: {name: {{ $root.Values.secrets.learning }}, key: lti-key}}}
{{- end }}
{{- if has .name (list "dataexchange" "learning") }}
- {name: KOMU_HTTP_TLS_CERT, value: /etc/komu/tls/tls.crt}
- {name: KOMU_HTTP_TLS_KEY, value: /etc/komu/tls/tls.key}
{{- end }}
{{- end }}

{{- define "komu.mounts" -}}
- {name: tls, mountPath: /etc/komu/tls, readOnly: true}
- {name: calls, mountPath: /etc/komu/calls, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if eq .name "dataexchange" }}
- {name: organisation, mountPath: /etc/komu/organisation, readOnly: true}
- {name: directory, mountPath: /etc/komu/directory, readOnly: true}
{{- end }}
{{- end }}

{{- define "komu.volumes" -}}
- name: tls
  secret: {secretName: {{ .root.Release.Name }}-{{ .name }}-tls, defaultMode: 0440}
- name: calls
  configMap: {name: {{ .root.Release.Name }}-calls}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 256Mi}
{{- if eq .name "dataexchange" }}
- name: organisation
  secret: {secretName: {{ .root.Values.secrets.organisationKeys }}, defaultMode: 0440}
- name: directory
  secret: {secretName: {{ .root.Values.secrets.directory }}, defaultMode: 0440}
{{- end }}
{{- end }}
