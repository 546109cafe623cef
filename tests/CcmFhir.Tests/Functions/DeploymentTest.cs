using CcmFhir.Tests.Journal;

namespace CcmFhir.Tests.Functions;

/// <summary>Tests each of which has an <see cref="AzureDeployment"/> of its own.</summary>
[Collection(AzureDeployment.Alone)]
public abstract class DeploymentTest(Azurite azurite, PublishedProgram published) : IAsyncLifetime
{
    private AzureDeployment? deployment;

    /// <summary>The deployment; no instance runs yet.</summary>
    private protected AzureDeployment Deployment => deployment!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        deployment = await AzureDeployment.OpenAsync(azurite, published, Cancel);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (deployment is not null)
        {
            await deployment.DisposeAsync();
        }
    }
}
