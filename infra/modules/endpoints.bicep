// Private endpoints and their names, for deployments that must not be reachable from the public network.
param name string
param location string
param subnetId string
param networkId string
param journalAccountId string
param hostAccountId string
param vaultId string

var targets = [
  { key: 'journal-blob', id: journalAccountId, group: 'blob', zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { key: 'journal-table', id: journalAccountId, group: 'table', zone: 'privatelink.table.${environment().suffixes.storage}' }
  { key: 'host-blob', id: hostAccountId, group: 'blob', zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { key: 'host-queue', id: hostAccountId, group: 'queue', zone: 'privatelink.queue.${environment().suffixes.storage}' }
  { key: 'host-table', id: hostAccountId, group: 'table', zone: 'privatelink.table.${environment().suffixes.storage}' }
  { key: 'vault', id: vaultId, group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
]
var zones = union(map(targets, target => target.zone), [])

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zones: {
    name: zoneName
    location: 'global'
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, at) in zones: {
    parent: zone[at]
    name: name
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for target in targets: {
    name: '${name}-${target.key}'
    location: location
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: target.key, properties: { privateLinkServiceId: target.id, groupIds: [target.group] } }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (target, at) in targets: {
    parent: endpoint[at]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: target.group, properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', target.zone) } }
      ]
    }
    dependsOn: [zone, link]
  }
]
