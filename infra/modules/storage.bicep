// Two accounts: the journal by itself, kept like a ledger; and what the Functions host needs (packages, locks, queues).
param name string
param location string
param retentionDays int
param softDeleteDays int
param publicAccess bool
param principalId string

var unique = substring(uniqueString(resourceGroup().id), 0, 8)
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'

resource journal 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: '${name}j${unique}'
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: publicAccess ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      isVersioningEnabled: true
      deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
      containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    }

    resource streams 'containers' = {
      name: 'journal'

      // Entries can be added to a stream and never be changed: protected append on top of write-once.
      resource retention 'immutabilityPolicies' = {
        name: 'default'
        properties: { immutabilityPeriodSinceCreationInDays: retentionDays, allowProtectedAppendWrites: true }
      }
    }
  }

  // Index entries are rewritten and can be made anew from the streams, so they live outside the retention.
  resource tables 'tableServices' = {
    name: 'default'

    resource index 'tables' = {
      name: 'ccmjournalindex'
    }
  }
}

resource host 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: '${name}h${unique}'
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: publicAccess ? 'Allow' : 'Deny', bypass: 'AzureServices' }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource packages 'containers' = {
      name: 'packages'
    }
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource queue 'queues' = [
      for queueName in ['close-shards', 'close-shards-poison', 'push-claims', 'push-claims-poison']: {
        name: queueName
      }
    ]
  }
}

resource journalRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [blobDataContributor, tableDataContributor]: {
    name: guid(journal.id, principalId, role)
    scope: journal
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// The host keeps its locks and the package in blobs, its timers' state in tables.
resource hostRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [blobDataOwner, queueDataContributor, tableDataContributor]: {
    name: guid(host.id, principalId, role)
    scope: host
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

output journalAccountId string = journal.id
output journalBlobEndpoint string = journal.properties.primaryEndpoints.blob
output hostAccountId string = host.id
output hostAccountName string = host.name
output deploymentContainer string = '${host.properties.primaryEndpoints.blob}packages'
